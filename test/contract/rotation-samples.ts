/** Rotation in TypeScript, with node-fetch: a function that makes a key, and one that deletes one. */
export const rotationSample = `
import fetch from 'node-fetch';

async function rotateApiKey(instanceId: string, accountKey: string) {
  const createResponse = await fetch(
    \`https://api.swiftcache.io/api/v1/instances/\${instanceId}/api-keys\`,
    {
      method: 'POST',
      headers: {
        'Authorization': \`Bearer \${accountKey}\`,
        'Content-Type': 'application/json'
      },
      body: JSON.stringify({ name: \`\${new Date().toISOString()}-rotation\` })
    }
  );
  const { createdKey } = await createResponse.json();
  return createdKey.plainTextKey;
}

async function deleteApiKey(keyId: string, accountKey: string) {
  const response = await fetch(
    \`https://api.swiftcache.io/api/v1/api-keys/\${keyId}\`,
    {
      method: 'DELETE',
      headers: { 'Authorization': \`Bearer \${accountKey}\` }
    }
  );
  if (response.ok) {
    console.log('deleted');
  }
}
`;

/** The same in Python, with requests. */
export const rotationPySample = `
import requests
from datetime import datetime

def rotate_api_key(instance_id, account_key):
    response = requests.post(
        f'https://api.swiftcache.io/api/v1/instances/{instance_id}/api-keys',
        headers={'Authorization': f'Bearer {account_key}'},
        json={'name': f'{datetime.now().isoformat()}-rotation'}
    )
    response.raise_for_status()
    new_key = response.json()['createdKey']
    return new_key['plainTextKey']

def delete_api_key(key_id, account_key):
    response = requests.delete(
        f'https://api.swiftcache.io/api/v1/api-keys/{key_id}',
        headers={'Authorization': f'Bearer {account_key}'}
    )
    response.raise_for_status()
    print('deleted')
`;
