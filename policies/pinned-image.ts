import { containerRule, type PolicyContext } from './rule.ts';

const imageId = /^sha256:[0-9a-f]{64}$/;
const repositoryDigest = /^(?<repository>[^@\s]+)@sha256:[0-9a-f]{64}$/;

/** A tag can mean another image tomorrow; a digest cannot. */
export const pinnedImage = containerRule(
  'pinned-image',
  'The image is pinned by digest or id and is on the list of allowed images.',
  ({ image }, context) => {
    if (typeof image !== 'string' || image === '') return ['image is not set.'];
    if (!imageId.test(image) && !repositoryDigest.test(image)) {
      return [`image ${image} is not pinned: name it by digest (name@sha256:…) or id (sha256:…).`];
    }
    return isAllowed(image, context)
      ? []
      : [`image ${image} is not on the list of allowed images.`];
  },
);

function isAllowed(image: string, { allowedImages, allowedRepositories }: PolicyContext): boolean {
  const repository = repositoryDigest.exec(image)?.groups?.repository;
  return (
    allowedImages.includes(image) ||
    (repository !== undefined && allowedRepositories.includes(repository))
  );
}
