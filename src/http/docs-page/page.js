/* global SwaggerUIBundle */
const dark = window.matchMedia('(prefers-color-scheme: dark)');
const followColours = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
dark.addEventListener('change', followColours);
followColours();

SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#page',
  deepLinking: true,
  docExpansion: 'list',
  defaultModelsExpandDepth: 0,
  defaultModelExpandDepth: 4,
  displayRequestDuration: true,
  filter: false,
  // Keys are typed in here: they stay in this page and are gone with it.
  persistAuthorization: false,
  requestSnippetsEnabled: true,
  syntaxHighlight: { activated: true },
  tryItOutEnabled: false,
  // Nothing is checked or fetched elsewhere.
  validatorUrl: null,
});
