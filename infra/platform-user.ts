/** The ACL user that the platform itself signs in with; every instance is born with it. */
export const platformUser = 'swiftcache';
