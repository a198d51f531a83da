/**
 * The types of the API. Made from its OpenAPI document by "npm run generate:client": do not edit.
 */

export interface paths {
    "/healthz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether the process is alive */
        get: operations["checkHealth"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether the service can do its work */
        get: operations["checkReadiness"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/instances/regions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the regions */
        get: operations["listRegions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/instances": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List an organization's instances
         * @description Live instances, oldest first. Everything that is asked for must hold.
         */
        get: operations["listInstances"];
        put?: never;
        /** Create an instance */
        post: operations["createInstance"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/instances/{instanceId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get an instance with its keys */
        get: operations["getInstance"];
        put?: never;
        post?: never;
        /** Delete an instance with all its data */
        delete: operations["deleteInstance"];
        options?: never;
        head?: never;
        /** Change an instance; memory, eviction and persistence while it runs */
        patch: operations["updateInstance"];
        trace?: never;
    };
    "/api/v1/instances/{instanceId}/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Show what Pulumi would change for a PATCH, without doing it */
        post: operations["previewInstanceChanges"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/instances/{instanceId}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Try a failed instance again, or mend a DEGRADED one */
        post: operations["retryInstance"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/instances/{instanceId}/upgrade": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Take the Redis image of today; without persistence the data is gone */
        post: operations["upgradeInstance"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/instances/{instanceId}/restart": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Restart Redis; without persistence its data is gone */
        post: operations["restartInstance"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/instances/{instanceId}/stop": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Stop an instance; settings and keys stay, data with persistence */
        post: operations["stopInstance"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/instances/{instanceId}/start": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Start a stopped instance */
        post: operations["startInstance"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/instances/{instanceId}/api-keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List an instance's API keys */
        get: operations["listInstanceApiKeys"];
        put?: never;
        /** Create an API key for an instance */
        post: operations["createInstanceApiKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/instances/{instanceId}/api-keys/{keyId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Bind an API key to an instance */
        put: operations["bindApiKey"];
        post?: never;
        /** Take an API key off an instance; its connections there end at once */
        delete: operations["unbindApiKey"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/api-keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List an organization's API keys */
        get: operations["listApiKeys"];
        put?: never;
        /** Create an API key for several instances, or for none yet */
        post: operations["createApiKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/api-keys/{keyId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get an API key with the instances it opens */
        get: operations["getApiKey"];
        put?: never;
        post?: never;
        /** Delete an API key; its connections end at once */
        delete: operations["deleteApiKey"];
        options?: never;
        head?: never;
        /** Change an API key: its name, and what it may do, from where, and how long */
        patch: operations["updateApiKey"];
        trace?: never;
    };
    "/api/v1/instances/{instanceId}/operations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List an instance's operations, newest first */
        get: operations["listOperations"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operations/{operationId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get an operation: how far it is */
        get: operations["getOperation"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operations/{operationId}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Follow an operation live, by server-sent events
         * @description Sends `event: operation` with the operation as JSON at once and at each change, and `event: end` after the last. A stream that ends without it, e.g. after 15 minutes, may be opened again.
         */
        get: operations["followOperation"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/instances/{instanceId}/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get an instance's metrics; the last 24 hours by minutes unless told otherwise */
        get: operations["getInstanceMetrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/instances/{instanceId}/backups": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List an instance's backups, newest first */
        get: operations["listBackupsOfInstance"];
        put?: never;
        /** Take a backup; Redis goes on meanwhile */
        post: operations["createBackup"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/instances/{instanceId}/backups/import": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Bring an RDB file as a backup, to be restored like any other */
        post: operations["importBackup"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/instances/{instanceId}/restore": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Replace an instance's data by those of a backup
         * @description Keys, settings and the connection string stay; connections drop, and what was written since the backup is gone. The backup is loaded by a Redis of its own first: where that fails, nothing changes.
         */
        post: operations["restoreInstance"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/backups": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List an organization's backups, those of deleted instances too
         * @description Newest first. Everything that is asked for must hold.
         */
        get: operations["listBackups"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/backups/{backupId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show a backup */
        get: operations["getBackup"];
        put?: never;
        post?: never;
        /** Delete a backup */
        delete: operations["deleteBackup"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/backups/{backupId}/download": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Download a backup as an RDB file
         * @description For admins: all data of the instance leave by it. The file is checked as it is sent; where it is not as it was stored, the connection is cut before the end that `Content-Length` promises.
         */
        get: operations["downloadBackup"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/sign-up": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make an account, and log in
         * @description Makes an organization on the plan `free` too, unless an invitation is given: then the person joins its organization. The operator may have closed sign-up, or left it to invitations.
         */
        post: operations["signUp"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/log-in": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Log in: begins a session, kept in a cookie
         * @description After five wrong tries the next ones are held back for as long as `Retry-After` says.
         */
        post: operations["logIn"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/log-out": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Log out: ends the session
         * @description May be sent twice as it is; an `Idempotency-Key` is ignored.
         */
        post: operations["logOut"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who is logged in */
        get: operations["getSession"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Change one's password; ends the other sessions */
        post: operations["changePassword"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/organizations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the organizations that the caller may act for
         * @description Oldest first.
         */
        get: operations["listOrganizations"];
        put?: never;
        /**
         * Make an organization with the caller as its owner
         * @description On the plan `free`. A person owns ten at most.
         */
        post: operations["createOrganization"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/organizations/{organizationId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get an organization with the limits of its plan and what is used of them */
        get: operations["getOrganization"];
        put?: never;
        post?: never;
        /**
         * Delete an organization with its members, invitations and keys
         * @description Its instances have to be deleted before.
         */
        delete: operations["deleteOrganization"];
        options?: never;
        head?: never;
        /** Rename an organization */
        patch: operations["updateOrganization"];
        trace?: never;
    };
    "/api/v1/organizations/{organizationId}/members": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List an organization's members */
        get: operations["listMembers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/organizations/{organizationId}/members/{userId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Remove a member, or leave
         * @description The organization's account keys that they made stay: remove those apart.
         */
        delete: operations["removeMember"];
        options?: never;
        head?: never;
        /**
         * Give a member another role
         * @description Only owners make owners, or make them something else.
         */
        patch: operations["updateMember"];
        trace?: never;
    };
    "/api/v1/organizations/{organizationId}/invitations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List an organization's invitations
         * @description Newest first, accepted and expired ones too.
         */
        get: operations["listInvitations"];
        put?: never;
        /**
         * Invite somebody by a link
         * @description The link lets in one person. It is shown only here; the service sends no mail.
         */
        post: operations["createInvitation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/organizations/{organizationId}/invitations/{invitationId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Revoke an invitation; its link lets nobody in any more */
        delete: operations["revokeInvitation"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/invitations/accept": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Accept an invitation
         * @description Who is a member already keeps their role, and the invitation stays open.
         */
        post: operations["acceptInvitation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/account-keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List an organization's account keys, or one's own
         * @description Oldest first.
         */
        get: operations["listAccountKeys"];
        put?: never;
        /** Make an account key, for an organization or for oneself */
        post: operations["createAccountKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/account-keys/{accountKeyId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get an account key
         * @description A key may look at itself, whatever its role.
         */
        get: operations["getAccountKey"];
        put?: never;
        post?: never;
        /**
         * Delete an account key; it is refused from the next request on
         * @description A key may delete itself, whatever its role.
         */
        delete: operations["deleteAccountKey"];
        options?: never;
        head?: never;
        /** Rename an account key */
        patch: operations["updateAccountKey"];
        trace?: never;
    };
    "/api/v1/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List what was changed in an organization, and what was refused
         * @description Newest first. Everything that is asked for must hold. Without `organizationId` it lists what the person who asks did and what was done to their account, failed log-ins too.
         */
        get: operations["listAuditEntries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/redis/{instanceId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Run a command written as a JSON array */
        post: operations["runCommand"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/redis/{instanceId}/{command}/{argument}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Run a command written as a path
         * @description Any number of arguments, none too, each a segment of the path; shown here with one. Query parameters follow as further arguments. PUT and POST are taken too: the body is then the last argument of the path.
         */
        get: operations["runCommandInPath"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/redis/{instanceId}/pipeline": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Run up to 1,000 commands, each with its own result */
        post: operations["runPipeline"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/redis/{instanceId}/multi-exec": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Run up to 1,000 commands as one transaction
         * @description All of them in one MULTI … EXEC. A transaction that Redis discards is one error, and nothing of it has run.
         */
        post: operations["runTransaction"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/redis/{instanceId}/subscribe/{channel}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Stream the messages of channels as server-sent events
         * @description Any number of channels, each a segment of the path; shown here with one. Each subscription is an event, then each message is one: its fields, parted by commas. POST is taken too. A stream ends with its key, its instance or the service; a comment before the end says why.
         */
        get: operations["subscribe"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/redis/{instanceId}/psubscribe/{pattern}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Stream the messages of channels whose names fit patterns
         * @description Any number of patterns, each a segment of the path; shown here with one. Each subscription is an event, then each message is one: its fields, parted by commas. POST is taken too. A stream ends with its key, its instance or the service; a comment before the end says why.
         */
        get: operations["subscribeToPatterns"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/redis/{instanceId}/monitor": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Stream the commands that the instance runs
         * @description Data keys do not have the right to it: the answer is Redis's NOPERM. Each subscription is an event, then each message is one: its fields, parted by commas. POST is taken too. A stream ends with its key, its instance or the service; a comment before the end says why.
         */
        get: operations["monitorCommands"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        CommandResult: {
            /**
             * @description Redis's reply as JSON: a string, a number, a list, an object, null.
             * @example OK
             */
            result: unknown;
        };
        /**
         * @example {
         *       "error": "ERR value is not an integer or out of range"
         *     }
         */
        CommandError: {
            /** @description In the words of Redis, where it is its own. */
            error: string;
        };
        /**
         * @example {
         *       "organizationId": "org_abc123",
         *       "name": "my-cache",
         *       "maxMemory": 536870912,
         *       "region": "eu-central",
         *       "evictionPolicy": "allkeys-lru",
         *       "persistence": false
         *     }
         */
        NewInstance: {
            /**
             * @description The organization in question.
             * @example org_abc123
             */
            organizationId: string;
            /** @example my-cache */
            name: string;
            /**
             * @description Redis maxmemory in bytes.
             * @example 536870912
             */
            maxMemory: number;
            /** @enum {string} */
            region: "eu-central";
            /**
             * @description What Redis evicts when maxMemory is reached.
             * @default allkeys-lru
             * @enum {string}
             */
            evictionPolicy?: "noeviction" | "allkeys-lru" | "allkeys-lfu" | "allkeys-random" | "volatile-lru" | "volatile-lfu" | "volatile-random" | "volatile-ttl";
            /** @default false */
            persistence?: boolean;
            /**
             * @description Names and values of your own.
             * @default {}
             * @example {
             *       "environment": "staging"
             *     }
             */
            labels?: {
                [key: string]: string;
            };
            /**
             * @description While true, the instance cannot be deleted.
             * @default false
             */
            deletionProtection?: boolean;
            /**
             * @description What is done about changes made past the service: mend them, or only say so.
             * @default repair
             * @enum {string}
             */
            driftPolicy?: "repair" | "report";
            /**
             * @description When it is deleted by itself; null means never.
             * @default null
             * @example 2030-01-01T00:00:00Z
             */
            expiresAt?: string | null;
            /**
             * @description The backup whose data it begins with; of the same organization.
             * @default null
             * @example null
             */
            fromBackup?: string | null;
            /**
             * @description Existing keys to bind; without any, a default key is made.
             * @default []
             */
            apiKeyIds?: string[];
        };
        /** @enum {string} */
        InstanceStatus: "PROVISIONING" | "RUNNING" | "DEGRADED" | "RESTARTING" | "STOPPING" | "STOPPED" | "STARTING" | "FAILED" | "DELETING";
        /**
         * @example {
         *       "name": "my-cache-updated",
         *       "maxMemory": 1073741824,
         *       "evictionPolicy": "volatile-lru"
         *     }
         */
        InstanceChanges: {
            /** @example my-cache */
            name?: string;
            /**
             * @description Redis maxmemory in bytes.
             * @example 536870912
             */
            maxMemory?: number;
            /**
             * @description What Redis evicts when maxMemory is reached.
             * @enum {string}
             */
            evictionPolicy?: "noeviction" | "allkeys-lru" | "allkeys-lfu" | "allkeys-random" | "volatile-lru" | "volatile-lfu" | "volatile-random" | "volatile-ttl";
            persistence?: boolean;
            /**
             * @description Names and values of your own.
             * @example {
             *       "environment": "staging"
             *     }
             */
            labels?: {
                [key: string]: string;
            };
            /** @description While true, the instance cannot be deleted. */
            deletionProtection?: boolean;
            /**
             * @description What is done about changes made past the service: mend them, or only say so.
             * @enum {string}
             */
            driftPolicy?: "repair" | "report";
            /**
             * @description When it is deleted by itself; null means never.
             * @example 2030-01-01T00:00:00Z
             */
            expiresAt?: string | null;
            /** @description Backups by schedule; null ends it, and leaves the backups there are. */
            backups?: components["schemas"]["BackupRule"] | null;
        };
        BackupRule: {
            /**
             * @description A cron expression in UTC; at least five minutes between two times.
             * @example 0 3 * * *
             */
            schedule: string;
            /**
             * @description How many scheduled backups are kept.
             * @default 7
             * @example 7
             */
            keepCount?: number;
            /**
             * @description How long they are kept; the newest always is.
             * @default null
             * @example 30
             */
            keepDays?: number | null;
        };
        /**
         * @example {
         *       "acceptDataLoss": false
         *     }
         */
        RetryRequest: {
            /**
             * @description Where its data volume is lost: go on with an empty one.
             * @default false
             */
            acceptDataLoss?: boolean;
        };
        NewInstanceApiKey: {
            /** @example my-cache */
            name: string;
            /**
             * @description ["read"] or ["read", "write"].
             * @example [
             *       "read",
             *       "write"
             *     ]
             */
            permissions?: ("read" | "write")[];
            /**
             * @description Addresses and ranges the key may be used from; empty means any.
             * @example [
             *       "192.0.2.0/24"
             *     ]
             */
            ipWhitelist?: (string | unknown | unknown | unknown | unknown)[];
            /**
             * @description Requests per second; 1000 means unlimited.
             * @default 1000
             * @example 1000
             */
            rateLimit?: number;
            /**
             * @description From when on it opens nothing; null means never.
             * @default null
             * @example 2030-01-01T00:00:00Z
             */
            expiresAt?: string | null;
        };
        NewApiKey: {
            /**
             * @description The organization in question.
             * @example org_abc123
             */
            organizationId: string;
            /** @example my-cache */
            name: string;
            /**
             * @description ["read"] or ["read", "write"].
             * @example [
             *       "read",
             *       "write"
             *     ]
             */
            permissions?: ("read" | "write")[];
            /**
             * @description Addresses and ranges the key may be used from; empty means any.
             * @example [
             *       "192.0.2.0/24"
             *     ]
             */
            ipWhitelist?: (string | unknown | unknown | unknown | unknown)[];
            /**
             * @description Requests per second; 1000 means unlimited.
             * @default 1000
             * @example 1000
             */
            rateLimit?: number;
            /**
             * @description From when on it opens nothing; null means never.
             * @default null
             * @example 2030-01-01T00:00:00Z
             */
            expiresAt?: string | null;
            /**
             * @description The instances it opens.
             * @default []
             */
            instanceIds?: string[];
        };
        ApiKeyChanges: {
            /** @example my-cache */
            name?: string;
            /**
             * @description ["read"] or ["read", "write"].
             * @example [
             *       "read",
             *       "write"
             *     ]
             */
            permissions?: ("read" | "write")[];
            /**
             * @description Addresses and ranges the key may be used from; empty means any.
             * @example [
             *       "192.0.2.0/24"
             *     ]
             */
            ipWhitelist?: (string | unknown | unknown | unknown | unknown)[];
            /**
             * @description Requests per second; 1000 means unlimited.
             * @example 1000
             */
            rateLimit?: number;
            /**
             * @description From when on it opens nothing; null means never.
             * @example 2030-01-01T00:00:00Z
             */
            expiresAt?: string | null;
        };
        /** @enum {string} */
        OperationStatus: "QUEUED" | "RUNNING" | "SUCCEEDED" | "FAILED" | "SUPERSEDED";
        Restore: {
            /** @example bkp_abcdefghijklmnop */
            backupId: string;
        };
        /** @enum {string} */
        BackupStatus: "QUEUED" | "RUNNING" | "AVAILABLE" | "FAILED";
        NewPerson: {
            /**
             * Format: email
             * @example ada@example.com
             */
            email: string;
            /** @example correct horse battery */
            password: string;
            /** @example Ada */
            name: string;
            /**
             * @description Of the person's own organization; their name where left out.
             * @example my-cache
             */
            organizationName?: string;
            /**
             * @description An invitation's secret: joins its organization instead of making one.
             * @example Zk3v…
             */
            invitation?: string;
        };
        Credentials: {
            /**
             * Format: email
             * @example ada@example.com
             */
            email: string;
            /** @example correct horse battery */
            password: string;
        };
        PasswordChange: {
            /** @example correct horse battery */
            currentPassword: string;
            /** @example correct horse battery */
            newPassword: string;
        };
        NewOrganization: {
            /** @example my-cache */
            name: string;
        };
        OrganizationChanges: {
            /** @example my-cache */
            name: string;
        };
        MemberChanges: {
            role: components["schemas"]["Role"];
        };
        /** @enum {string} */
        Role: "viewer" | "developer" | "admin" | "owner";
        NewInvitation: {
            role: components["schemas"]["Role"];
            /**
             * @description Whom it is for; without it, whoever has the link.
             * @default null
             * @example grace@example.com
             */
            email?: string | null;
            /** @default 168 */
            expiresInHours?: number;
        };
        Acceptance: {
            /**
             * @description What follows `#` in an invitation's link.
             * @example Zk3v…
             */
            secret: string;
        };
        NewAccountKey: {
            /** @example deploy */
            name: string;
            /**
             * @description Without it, a personal key: for all organizations of the person.
             * @example org_abc123
             */
            organizationId?: string;
            /** @description Never above the caller's, which is the default. */
            role?: components["schemas"]["Role"];
            /**
             * @description read-only is the role viewer.
             * @enum {string}
             */
            scope?: "full" | "read-only";
            /**
             * @description null means never.
             * @default null
             * @example 2030-01-01T00:00:00Z
             */
            expiresAt?: string | null;
        };
        AccountKeyChanges: {
            /** @example my-cache */
            name: string;
        };
        Problem: {
            type: string;
            title: string;
            status: number;
            detail: string;
            /** @description The title once more. */
            error: string;
            code: string;
            remedy: string;
            requestId: string;
            errors?: {
                pointer: string;
                detail: string;
            }[];
            limit?: {
                name: string;
                limit: number;
                used: number;
                requested: number;
            };
        };
        Region: {
            /** @example eu-central */
            region: string;
            /** @example Europe (Germany) */
            regionName: string;
            /** @example 🇩🇪 */
            flag: string;
            available: boolean;
        };
        CreatedInstance: {
            /** @example inst_abc123 */
            id: string;
            /** @example org_abc123 */
            organizationId: string;
            /** @example my-cache */
            name: string;
            status: components["schemas"]["InstanceStatus"];
            /**
             * @description null until the instance is RUNNING. Where the service has a domain, the name of this instance alone: over TLS it says which instance is meant.
             * @example cache.example.com
             */
            hostname: string | null;
            /** @example cache.example.com */
            host: string;
            /**
             * @description The port for `redis://`; for TLS alone where the service takes nothing else.
             * @example 6379
             */
            port: number;
            /**
             * @description The port for `rediss://`; null where the service has no certificate.
             * @example 6380
             */
            tlsPort: number | null;
            /**
             * @description What any Redis client connects with, a data key in the place of [API_KEY]: with TLS where there is TLS. null until the instance is RUNNING.
             * @example rediss://:[API_KEY]@cache.example.com:6380
             */
            connectionString: string | null;
            /**
             * @description In bytes.
             * @example 536870912
             */
            maxMemory: number;
            /** @example 512 */
            maxMemoryMb: number;
            /** @example eu-central */
            region: string;
            /**
             * @description The organization's plan.
             * @example dedicated
             */
            tier: string;
            /**
             * @description What Redis evicts when maxMemory is reached.
             * @example allkeys-lru
             * @enum {string}
             */
            evictionPolicy: "noeviction" | "allkeys-lru" | "allkeys-lfu" | "allkeys-random" | "volatile-lru" | "volatile-lfu" | "volatile-random" | "volatile-ttl";
            persistence: boolean;
            /**
             * @description The beginning of the digest of the Redis image it runs.
             * @example sha256:c8585f9f0d9b
             */
            image: string | null;
            /**
             * @description Whether the service offers another image: POST …/upgrade takes it.
             * @example false
             */
            upgradeAvailable: boolean;
            /**
             * @example {
             *       "environment": "staging"
             *     }
             */
            labels: {
                [key: string]: string;
            };
            deletionProtection: boolean;
            /**
             * @description What is done about changes made past the service: mend them, or only say so.
             * @enum {string}
             */
            driftPolicy: "repair" | "report";
            /**
             * @description What is known to be otherwise than recorded.
             * @example []
             */
            drift: components["schemas"]["DriftNote"][];
            /** @example null */
            expiresAt: string | null;
            backups: components["schemas"]["InstanceBackups"] | null;
            failure: components["schemas"]["Failure"] | null;
            /**
             * Format: date-time
             * @example 2024-01-15T10:30:00.000Z
             */
            createdAt: string;
            /**
             * Format: date-time
             * @example 2024-01-15T10:30:00.000Z
             */
            updatedAt: string;
            /**
             * @description The default key, as a Redis password. Shown only here.
             * @example sc_live_9f8e7d6c5b4a3f2e1d0c9b8a7f6e5d4c
             */
            password: string | null;
        };
        DriftNote: {
            /**
             * @example container_stopped
             * @enum {string}
             */
            kind: "container_missing" | "container_stopped" | "container_paused" | "container_started" | "limits_changed" | "settings_changed" | "volume_missing" | "data_volume_missing";
            /** @example Its container does not run; it is exited. */
            detail: string;
            /**
             * Format: date-time
             * @example 2024-01-15T10:30:00.000Z
             */
            since: string;
        };
        InstanceBackups: {
            /** @example 0 3 * * * */
            schedule: string;
            /** @example 7 */
            keepCount: number;
            /** @example 30 */
            keepDays: number | null;
            nextAt: string | null;
        };
        /**
         * @description Why something failed, and what can be done about it.
         * @example {
         *       "code": "docker_unreachable",
         *       "message": "Docker cannot be reached",
         *       "remedy": "Start the Docker daemon of the region, then POST …/retry."
         *     }
         */
        Failure: {
            code: string;
            message: string;
            remedy: string;
        };
        CreatedApiKey: {
            /** @example key_xyz789 */
            id: string;
            /** @example org_abc123 */
            organizationId: string;
            /** @example my-cache-default */
            name: string;
            /**
             * Format: date-time
             * @example 2024-01-15T10:30:00.000Z
             */
            createdAt: string;
            lastUsed: string | null;
            /** @example null */
            expiresAt: string | null;
            /**
             * @example [
             *       "read",
             *       "write"
             *     ]
             */
            permissions: ("read" | "write")[];
            /**
             * @example [
             *       "192.0.2.0/24"
             *     ]
             */
            ipWhitelist: string[];
            /** @example 1000 */
            rateLimit: number;
            /**
             * @description Shown only here.
             * @example sc_live_9f8e7d6c5b4a3f2e1d0c9b8a7f6e5d4c
             */
            plainTextKey: string;
        };
        /**
         * @example {
         *       "id": "op_k2v7",
         *       "kind": "create",
         *       "instanceId": "inst_abc123",
         *       "status": "RUNNING",
         *       "progress": 60,
         *       "steps": [
         *         {
         *           "name": "volume",
         *           "startedAt": "2024-01-15T10:30:00.512Z",
         *           "finishedAt": "2024-01-15T10:30:00.560Z"
         *         },
         *         {
         *           "name": "container",
         *           "startedAt": "2024-01-15T10:30:00.560Z",
         *           "finishedAt": null
         *         }
         *       ],
         *       "error": null,
         *       "createdAt": "2024-01-15T10:30:00.000Z",
         *       "startedAt": "2024-01-15T10:30:00.008Z",
         *       "finishedAt": null
         *     }
         */
        Operation: {
            /** @example op_k2v7 */
            id: string;
            /** @enum {string} */
            kind: "create" | "update" | "restart" | "stop" | "start" | "delete" | "retry" | "repair" | "upgrade" | "restore";
            instanceId: string;
            status: components["schemas"]["OperationStatus"];
            /** @description Per cent. */
            progress: number;
            steps: {
                name: string;
                /**
                 * Format: date-time
                 * @example 2024-01-15T10:30:00.000Z
                 */
                startedAt: string;
                finishedAt: string | null;
            }[];
            error: components["schemas"]["Failure"] | null;
            /**
             * Format: date-time
             * @example 2024-01-15T10:30:00.000Z
             */
            createdAt: string;
            startedAt: string | null;
            finishedAt: string | null;
        };
        Instance: {
            /** @example inst_abc123 */
            id: string;
            /** @example org_abc123 */
            organizationId: string;
            /** @example my-cache */
            name: string;
            status: components["schemas"]["InstanceStatus"];
            /**
             * @description null until the instance is RUNNING. Where the service has a domain, the name of this instance alone: over TLS it says which instance is meant.
             * @example cache.example.com
             */
            hostname: string | null;
            /** @example cache.example.com */
            host: string;
            /**
             * @description The port for `redis://`; for TLS alone where the service takes nothing else.
             * @example 6379
             */
            port: number;
            /**
             * @description The port for `rediss://`; null where the service has no certificate.
             * @example 6380
             */
            tlsPort: number | null;
            /**
             * @description What any Redis client connects with, a data key in the place of [API_KEY]: with TLS where there is TLS. null until the instance is RUNNING.
             * @example rediss://:[API_KEY]@cache.example.com:6380
             */
            connectionString: string | null;
            /**
             * @description In bytes.
             * @example 536870912
             */
            maxMemory: number;
            /** @example 512 */
            maxMemoryMb: number;
            /** @example eu-central */
            region: string;
            /**
             * @description The organization's plan.
             * @example dedicated
             */
            tier: string;
            /**
             * @description What Redis evicts when maxMemory is reached.
             * @example allkeys-lru
             * @enum {string}
             */
            evictionPolicy: "noeviction" | "allkeys-lru" | "allkeys-lfu" | "allkeys-random" | "volatile-lru" | "volatile-lfu" | "volatile-random" | "volatile-ttl";
            persistence: boolean;
            /**
             * @description The beginning of the digest of the Redis image it runs.
             * @example sha256:c8585f9f0d9b
             */
            image: string | null;
            /**
             * @description Whether the service offers another image: POST …/upgrade takes it.
             * @example false
             */
            upgradeAvailable: boolean;
            /**
             * @example {
             *       "environment": "staging"
             *     }
             */
            labels: {
                [key: string]: string;
            };
            deletionProtection: boolean;
            /**
             * @description What is done about changes made past the service: mend them, or only say so.
             * @enum {string}
             */
            driftPolicy: "repair" | "report";
            /**
             * @description What is known to be otherwise than recorded.
             * @example []
             */
            drift: components["schemas"]["DriftNote"][];
            /** @example null */
            expiresAt: string | null;
            backups: components["schemas"]["InstanceBackups"] | null;
            failure: components["schemas"]["Failure"] | null;
            /**
             * Format: date-time
             * @example 2024-01-15T10:30:00.000Z
             */
            createdAt: string;
            /**
             * Format: date-time
             * @example 2024-01-15T10:30:00.000Z
             */
            updatedAt: string;
        };
        InstanceWithKeys: {
            /** @example inst_abc123 */
            id: string;
            /** @example org_abc123 */
            organizationId: string;
            /** @example my-cache */
            name: string;
            status: components["schemas"]["InstanceStatus"];
            /**
             * @description null until the instance is RUNNING. Where the service has a domain, the name of this instance alone: over TLS it says which instance is meant.
             * @example cache.example.com
             */
            hostname: string | null;
            /** @example cache.example.com */
            host: string;
            /**
             * @description The port for `redis://`; for TLS alone where the service takes nothing else.
             * @example 6379
             */
            port: number;
            /**
             * @description The port for `rediss://`; null where the service has no certificate.
             * @example 6380
             */
            tlsPort: number | null;
            /**
             * @description What any Redis client connects with, a data key in the place of [API_KEY]: with TLS where there is TLS. null until the instance is RUNNING.
             * @example rediss://:[API_KEY]@cache.example.com:6380
             */
            connectionString: string | null;
            /**
             * @description In bytes.
             * @example 536870912
             */
            maxMemory: number;
            /** @example 512 */
            maxMemoryMb: number;
            /** @example eu-central */
            region: string;
            /**
             * @description The organization's plan.
             * @example dedicated
             */
            tier: string;
            /**
             * @description What Redis evicts when maxMemory is reached.
             * @example allkeys-lru
             * @enum {string}
             */
            evictionPolicy: "noeviction" | "allkeys-lru" | "allkeys-lfu" | "allkeys-random" | "volatile-lru" | "volatile-lfu" | "volatile-random" | "volatile-ttl";
            persistence: boolean;
            /**
             * @description The beginning of the digest of the Redis image it runs.
             * @example sha256:c8585f9f0d9b
             */
            image: string | null;
            /**
             * @description Whether the service offers another image: POST …/upgrade takes it.
             * @example false
             */
            upgradeAvailable: boolean;
            /**
             * @example {
             *       "environment": "staging"
             *     }
             */
            labels: {
                [key: string]: string;
            };
            deletionProtection: boolean;
            /**
             * @description What is done about changes made past the service: mend them, or only say so.
             * @enum {string}
             */
            driftPolicy: "repair" | "report";
            /**
             * @description What is known to be otherwise than recorded.
             * @example []
             */
            drift: components["schemas"]["DriftNote"][];
            /** @example null */
            expiresAt: string | null;
            backups: components["schemas"]["InstanceBackups"] | null;
            failure: components["schemas"]["Failure"] | null;
            /**
             * Format: date-time
             * @example 2024-01-15T10:30:00.000Z
             */
            createdAt: string;
            /**
             * Format: date-time
             * @example 2024-01-15T10:30:00.000Z
             */
            updatedAt: string;
            apiKeys: components["schemas"]["ApiKey"][];
        };
        ApiKey: {
            /** @example key_xyz789 */
            id: string;
            /** @example org_abc123 */
            organizationId: string;
            /** @example my-cache-default */
            name: string;
            /**
             * Format: date-time
             * @example 2024-01-15T10:30:00.000Z
             */
            createdAt: string;
            lastUsed: string | null;
            /** @example null */
            expiresAt: string | null;
            /**
             * @example [
             *       "read",
             *       "write"
             *     ]
             */
            permissions: ("read" | "write")[];
            /**
             * @example [
             *       "192.0.2.0/24"
             *     ]
             */
            ipWhitelist: string[];
            /** @example 1000 */
            rateLimit: number;
        };
        PlannedChange: {
            /** @example settings */
            resource: string;
            /** @example swiftcache:index:RedisSettings */
            type: string;
            /** @example update */
            action: string;
            properties: {
                /** @example maxMemoryBytes */
                name: string;
                /**
                 * @description Any JSON.
                 * @example 67108864
                 */
                from: unknown;
                /**
                 * @description Any JSON.
                 * @example 134217728
                 */
                to: unknown;
            }[];
        };
        CreatedApiKeyWithInstances: {
            /** @example key_xyz789 */
            id: string;
            /** @example org_abc123 */
            organizationId: string;
            /** @example my-cache-default */
            name: string;
            /**
             * Format: date-time
             * @example 2024-01-15T10:30:00.000Z
             */
            createdAt: string;
            lastUsed: string | null;
            /** @example null */
            expiresAt: string | null;
            /**
             * @example [
             *       "read",
             *       "write"
             *     ]
             */
            permissions: ("read" | "write")[];
            /**
             * @example [
             *       "192.0.2.0/24"
             *     ]
             */
            ipWhitelist: string[];
            /** @example 1000 */
            rateLimit: number;
            /**
             * @description The instances it opens.
             * @example [
             *       "inst_abc123"
             *     ]
             */
            instanceIds: string[];
            /**
             * @description Shown only here.
             * @example sc_live_9f8e7d6c5b4a3f2e1d0c9b8a7f6e5d4c
             */
            plainTextKey: string;
        };
        ApiKeyWithInstances: {
            /** @example key_xyz789 */
            id: string;
            /** @example org_abc123 */
            organizationId: string;
            /** @example my-cache-default */
            name: string;
            /**
             * Format: date-time
             * @example 2024-01-15T10:30:00.000Z
             */
            createdAt: string;
            lastUsed: string | null;
            /** @example null */
            expiresAt: string | null;
            /**
             * @example [
             *       "read",
             *       "write"
             *     ]
             */
            permissions: ("read" | "write")[];
            /**
             * @example [
             *       "192.0.2.0/24"
             *     ]
             */
            ipWhitelist: string[];
            /** @example 1000 */
            rateLimit: number;
            /**
             * @description The instances it opens.
             * @example [
             *       "inst_abc123"
             *     ]
             */
            instanceIds: string[];
        };
        /** @description One event of the stream: `operation` at once and at each change, then `end`. A comment comes every 15 seconds where nothing changes. */
        OperationEvent: {
            /** @enum {string} */
            event: "operation" | "end";
            /**
             * @description A number that grows.
             * @example 1
             */
            id: string;
            /**
             * @description The Operation as JSON; `{}` with the last event.
             * @example {"id":"op_k2v7","status":"RUNNING"}
             */
            data: string;
        };
        MetricPoint: {
            /**
             * Format: date-time
             * @description When it begins.
             * @example 2024-01-15T10:30:00.000Z
             */
            time: string;
            /**
             * @description Commands run, but for those that sign in, PING, CLIENT and INFO.
             * @example 1500
             */
            commands: number;
            /** @example 524288 */
            bytesIn: number;
            /** @example 1048576 */
            bytesOut: number;
            /**
             * @description Reads that found their key.
             * @example 1200
             */
            hits: number;
            /**
             * @description Reads that did not.
             * @example 300
             */
            misses: number;
            /** @description Keys that made room for others. */
            evicted: number;
            /** @description Keys whose time was over. */
            expired: number;
            /**
             * @description Bytes of data at the end, as maxMemory counts them.
             * @example 1048576
             */
            memoryUsed: number | null;
            /**
             * @description Connections at the end.
             * @example 3
             */
            clients: number | null;
            /**
             * @description Half of the commands took at most this many microseconds inside Redis.
             * @example 3
             */
            latencyP50Us: number | null;
            /**
             * @description The same of 99 in 100.
             * @example 12
             */
            latencyP99Us: number | null;
        };
        Backup: {
            /** @example bkp_k2v7 */
            id: string;
            /** @example org_abc123 */
            organizationId: string;
            /** @example inst_abc123 */
            instanceId: string;
            /**
             * @description `import`: brought as a file, not taken.
             * @enum {string}
             */
            kind: "manual" | "scheduled" | "import";
            status: components["schemas"]["BackupStatus"];
            /**
             * @description Of the RDB file.
             * @example 1048576
             */
            sizeBytes: number | null;
            /**
             * @description Of the RDB file, hexadecimal.
             * @example 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
             */
            sha256: string | null;
            /** @example 1200 */
            keyCount: number | null;
            /**
             * @description What Redis needs for its data: maxMemory of an instance to restore it into.
             * @example 4194304
             */
            memoryBytes: number | null;
            /** @example 7.0.15 */
            redisVersion: string | null;
            error: components["schemas"]["Failure"] | null;
            /**
             * Format: date-time
             * @example 2024-01-15T10:30:00.000Z
             */
            createdAt: string;
            finishedAt: string | null;
            /** @description When a Redis of its own had loaded it, read back from the store. */
            verifiedAt: string | null;
        };
        Person: {
            /** @example user_k2v7 */
            id: string;
            /** @example ada@example.com */
            email: string;
            /** @example Ada */
            name: string;
            /**
             * Format: date-time
             * @example 2024-01-15T10:30:00.000Z
             */
            createdAt: string;
        };
        Organization: {
            /** @example org_abc123 */
            id: string;
            /** @example Ada */
            name: string;
            /** @example free */
            plan: string;
            /** @description The caller's. */
            role: components["schemas"]["Role"];
            /**
             * Format: date-time
             * @example 2024-01-15T10:30:00.000Z
             */
            createdAt: string;
        };
        OrganizationDetails: {
            /** @example org_abc123 */
            id: string;
            /** @example Ada */
            name: string;
            /** @example free */
            plan: string;
            /** @description The caller's. */
            role: components["schemas"]["Role"];
            /**
             * Format: date-time
             * @example 2024-01-15T10:30:00.000Z
             */
            createdAt: string;
            limits: {
                instancesMax: number;
                maxMemoryMibMin: number;
                maxMemoryMibMax: number;
                memoryMibTotalMax: number;
                keysMax: number;
                /** @description Commands over HTTP and `redis://` together. */
                requestsPerSecond: number;
                /** @description Connections over `redis://`, in each process that takes them; half of them for one key. */
                connectionsMax: number;
                apiRequestsPerMinute: number;
                operationsInFlightMax: number;
                backupsMax: number;
            };
            usage: {
                instances: number;
                memoryBytes: number;
                keys: number;
                operationsInFlight: number;
                backups: number;
            };
        };
        Member: {
            /** @example user_k2v7 */
            userId: string;
            /** @example ada@example.com */
            email: string;
            /** @example Ada */
            name: string;
            role: components["schemas"]["Role"];
            /**
             * Format: date-time
             * @example 2024-01-15T10:30:00.000Z
             */
            joinedAt: string;
        };
        CreatedInvitation: {
            /** @example inv_k2v7 */
            id: string;
            /** @example org_abc123 */
            organizationId: string;
            /** @example grace@example.com */
            email: string | null;
            role: components["schemas"]["Role"];
            /**
             * @description The id of the person or account key that made it; it ends with theirs.
             * @example user_k2v7
             */
            createdBy: string | null;
            /**
             * Format: date-time
             * @example 2024-01-15T10:30:00.000Z
             */
            createdAt: string;
            /**
             * Format: date-time
             * @example 2024-01-15T10:30:00.000Z
             */
            expiresAt: string;
            acceptedAt: string | null;
            /**
             * @description To be sent to whom it is for. Shown only here.
             * @example https://cache.example.com/invitations#Zk3v…
             */
            link: string;
        };
        Invitation: {
            /** @example inv_k2v7 */
            id: string;
            /** @example org_abc123 */
            organizationId: string;
            /** @example grace@example.com */
            email: string | null;
            role: components["schemas"]["Role"];
            /**
             * @description The id of the person or account key that made it; it ends with theirs.
             * @example user_k2v7
             */
            createdBy: string | null;
            /**
             * Format: date-time
             * @example 2024-01-15T10:30:00.000Z
             */
            createdAt: string;
            /**
             * Format: date-time
             * @example 2024-01-15T10:30:00.000Z
             */
            expiresAt: string;
            acceptedAt: string | null;
        };
        CreatedAccountKey: {
            /** @example acct_k2v7 */
            id: string;
            /** @example deploy */
            name: string;
            /**
             * @description null for a personal key.
             * @example org_abc123
             */
            organizationId: string | null;
            role: components["schemas"]["Role"];
            /**
             * @description read-only is the role viewer.
             * @enum {string}
             */
            scope: "full" | "read-only";
            /**
             * @description The person's id, where it was one.
             * @example user_k2v7
             */
            createdBy: string | null;
            /**
             * Format: date-time
             * @example 2024-01-15T10:30:00.000Z
             */
            createdAt: string;
            lastUsed: string | null;
            expiresAt: string | null;
            /**
             * @description Shown only here.
             * @example sk_live_9f8e7d6c5b4a…
             */
            plainTextKey: string;
        };
        AccountKey: {
            /** @example acct_k2v7 */
            id: string;
            /** @example deploy */
            name: string;
            /**
             * @description null for a personal key.
             * @example org_abc123
             */
            organizationId: string | null;
            role: components["schemas"]["Role"];
            /**
             * @description read-only is the role viewer.
             * @enum {string}
             */
            scope: "full" | "read-only";
            /**
             * @description The person's id, where it was one.
             * @example user_k2v7
             */
            createdBy: string | null;
            /**
             * Format: date-time
             * @example 2024-01-15T10:30:00.000Z
             */
            createdAt: string;
            lastUsed: string | null;
            expiresAt: string | null;
        };
        AuditEntry: {
            /** @example aud_k2v7 */
            id: string;
            /** @example org_abc123 */
            organizationId: string | null;
            /**
             * Format: date-time
             * @example 2024-01-15T10:30:00.000Z
             */
            createdAt: string;
            actor: {
                /** @enum {string} */
                kind: "account-key" | "user" | "operator" | "system" | "anonymous";
                /** @example acct_k2v7 */
                id: string | null;
            };
            /** @example instance.create */
            action: string;
            /** @enum {string} */
            outcome: "done" | "refused";
            /** @example inst_abc123 */
            targetId: string | null;
            /** @example 192.0.2.1 */
            ip: string | null;
            /** @example req_w4tts3zejuwk6qlt */
            requestId: string | null;
            /**
             * @example {
             *       "name": "my-cache"
             *     }
             */
            details: {
                [key: string]: unknown;
            };
        };
    };
    responses: never;
    parameters: {
        /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
        RequestId: string;
        /** @description A value that no other request has, e.g. a UUID. Sent again with the same request, within 24 hours, it gives the first answer once more and changes nothing. */
        IdempotencyKey: string;
        /** @description The ETag that the change was made from; where it has another by now, 412. */
        IfMatch: string;
    };
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    checkHealth: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        status: "ok";
                    };
                };
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    checkReadiness: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It can */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @enum {string} */
                        status: "ready" | "not ready";
                    };
                };
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listRegions: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The regions */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        regions: components["schemas"]["Region"][];
                    };
                };
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listInstances: {
        parameters: {
            query: {
                /** @description The organization in question. */
                organizationId: string;
                /** @description Only those with one of these; repeated or separated by commas. */
                status?: components["schemas"]["InstanceStatus"][];
                region?: string;
                /** @description Only those with exactly this name. */
                name?: string;
                /** @description Only those with this label, as `name` or `name:value`; repeated, all must hold. */
                label?: string[];
                /** @description How many at most. */
                limit?: number;
                /** @description Where to go on: the nextCursor of the page before. */
                cursor?: string;
            };
            header?: {
                /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The instances */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        instances: components["schemas"]["Instance"][];
                        /**
                         * @description Give it as `cursor` for the next page; null after the last.
                         * @example null
                         */
                        nextCursor: string | null;
                    };
                };
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createInstance: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
                /** @description A value that no other request has, e.g. a UUID. Sent again with the same request, within 24 hours, it gives the first answer once more and changes nothing. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "organizationId": "org_abc123",
                 *       "name": "my-cache",
                 *       "maxMemory": 536870912,
                 *       "region": "eu-central",
                 *       "evictionPolicy": "allkeys-lru",
                 *       "persistence": false
                 *     }
                 */
                "application/json": components["schemas"]["NewInstance"];
            };
        };
        responses: {
            /** @description The instance, PROVISIONING. The key and password are shown only here. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        instance: components["schemas"]["CreatedInstance"];
                        createdDefaultKey?: components["schemas"]["CreatedApiKey"];
                        operation: components["schemas"]["Operation"];
                    };
                };
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getInstance: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
            };
            path: {
                instanceId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The instance */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        instance: components["schemas"]["InstanceWithKeys"];
                    };
                };
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteInstance: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
            };
            path: {
                instanceId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Deletion has begun */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @example Instance deletion initiated */
                        message: string;
                        instance: {
                            /** @example inst_abc123 */
                            id: string;
                            /** @example DELETING */
                            status: components["schemas"]["InstanceStatus"];
                        };
                        operation: components["schemas"]["Operation"];
                    };
                };
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    updateInstance: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
                /** @description The ETag that the change was made from; where it has another by now, 412. */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                instanceId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "my-cache-updated",
                 *       "maxMemory": 1073741824,
                 *       "evictionPolicy": "volatile-lru"
                 *     }
                 */
                "application/json": components["schemas"]["InstanceChanges"];
            };
        };
        responses: {
            /** @description Changed */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        instance: components["schemas"]["Instance"];
                        /** @description null where nothing goes on. */
                        operation: components["schemas"]["Operation"] | null;
                    };
                };
            };
            /** @description Wanted; the operation says how far it is */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        instance: components["schemas"]["Instance"];
                        /** @description null where nothing goes on. */
                        operation: components["schemas"]["Operation"] | null;
                    };
                };
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    previewInstanceChanges: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
                /** @description A value that no other request has, e.g. a UUID. Sent again with the same request, within 24 hours, it gives the first answer once more and changes nothing. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                instanceId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "my-cache-updated",
                 *       "maxMemory": 1073741824,
                 *       "evictionPolicy": "volatile-lru"
                 *     }
                 */
                "application/json": components["schemas"]["InstanceChanges"];
            };
        };
        responses: {
            /** @description The changes, resource by resource; none where all is as asked for */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        changes: components["schemas"]["PlannedChange"][];
                    };
                };
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    retryInstance: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
                /** @description A value that no other request has, e.g. a UUID. Sent again with the same request, within 24 hours, it gives the first answer once more and changes nothing. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                instanceId: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                /**
                 * @example {
                 *       "acceptDataLoss": false
                 *     }
                 */
                "application/json": components["schemas"]["RetryRequest"];
            };
        };
        responses: {
            /** @description The instance, worked on again */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        instance: components["schemas"]["Instance"];
                        operation: components["schemas"]["Operation"];
                    };
                };
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    upgradeInstance: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
                /** @description A value that no other request has, e.g. a UUID. Sent again with the same request, within 24 hours, it gives the first answer once more and changes nothing. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                instanceId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Wanted; the operation says how far it is */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        instance: components["schemas"]["Instance"];
                        operation: components["schemas"]["Operation"];
                        /** @description False where the instance keeps no data over the change of its container. */
                        dataKept: boolean;
                    };
                };
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    restartInstance: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
                /** @description A value that no other request has, e.g. a UUID. Sent again with the same request, within 24 hours, it gives the first answer once more and changes nothing. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                instanceId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Wanted; the operation says how far it is */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        instance: components["schemas"]["Instance"];
                        operation: components["schemas"]["Operation"];
                    };
                };
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    stopInstance: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
                /** @description A value that no other request has, e.g. a UUID. Sent again with the same request, within 24 hours, it gives the first answer once more and changes nothing. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                instanceId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Wanted; the operation says how far it is */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        instance: components["schemas"]["Instance"];
                        operation: components["schemas"]["Operation"];
                    };
                };
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    startInstance: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
                /** @description A value that no other request has, e.g. a UUID. Sent again with the same request, within 24 hours, it gives the first answer once more and changes nothing. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                instanceId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Wanted; the operation says how far it is */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        instance: components["schemas"]["Instance"];
                        operation: components["schemas"]["Operation"];
                    };
                };
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listInstanceApiKeys: {
        parameters: {
            query?: {
                /** @description How many at most. */
                limit?: number;
                /** @description Where to go on: the nextCursor of the page before. */
                cursor?: string;
            };
            header?: {
                /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
            };
            path: {
                instanceId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The keys, oldest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        apiKeys: components["schemas"]["ApiKeyWithInstances"][];
                        /**
                         * @description Give it as `cursor` for the next page; null after the last.
                         * @example null
                         */
                        nextCursor: string | null;
                    };
                };
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createInstanceApiKey: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
                /** @description A value that no other request has, e.g. a UUID. Sent again with the same request, within 24 hours, it gives the first answer once more and changes nothing. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                instanceId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "my-cache",
                 *       "permissions": [
                 *         "read",
                 *         "write"
                 *       ],
                 *       "ipWhitelist": [
                 *         "192.0.2.0/24"
                 *       ],
                 *       "rateLimit": 1000,
                 *       "expiresAt": "2030-01-01T00:00:00Z"
                 *     }
                 */
                "application/json": components["schemas"]["NewInstanceApiKey"];
            };
        };
        responses: {
            /** @description The key, in force. Its text is shown only here. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        createdKey: components["schemas"]["CreatedApiKeyWithInstances"];
                    };
                };
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    bindApiKey: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
            };
            path: {
                instanceId: string;
                keyId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Bound, and in force */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        apiKey: components["schemas"]["ApiKeyWithInstances"];
                    };
                };
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    unbindApiKey: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
            };
            path: {
                instanceId: string;
                keyId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Taken off, and refused there */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        apiKey: components["schemas"]["ApiKeyWithInstances"];
                    };
                };
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listApiKeys: {
        parameters: {
            query: {
                /** @description The organization in question. */
                organizationId: string;
                /** @description How many at most. */
                limit?: number;
                /** @description Where to go on: the nextCursor of the page before. */
                cursor?: string;
            };
            header?: {
                /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The keys, oldest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        apiKeys: components["schemas"]["ApiKeyWithInstances"][];
                        /**
                         * @description Give it as `cursor` for the next page; null after the last.
                         * @example null
                         */
                        nextCursor: string | null;
                    };
                };
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createApiKey: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
                /** @description A value that no other request has, e.g. a UUID. Sent again with the same request, within 24 hours, it gives the first answer once more and changes nothing. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "organizationId": "org_abc123",
                 *       "name": "my-cache",
                 *       "permissions": [
                 *         "read",
                 *         "write"
                 *       ],
                 *       "ipWhitelist": [
                 *         "192.0.2.0/24"
                 *       ],
                 *       "rateLimit": 1000,
                 *       "expiresAt": "2030-01-01T00:00:00Z"
                 *     }
                 */
                "application/json": components["schemas"]["NewApiKey"];
            };
        };
        responses: {
            /** @description The key, in force. Its text is shown only here. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        createdKey: components["schemas"]["CreatedApiKeyWithInstances"];
                    };
                };
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getApiKey: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
            };
            path: {
                keyId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The key */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        apiKey: components["schemas"]["ApiKeyWithInstances"];
                    };
                };
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteApiKey: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
                /** @description The ETag that the change was made from; where it has another by now, 412. */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                keyId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Deleted, and refused everywhere */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @example API key deleted */
                        message: string;
                        apiKey: {
                            /** @example key_xyz789 */
                            id: string;
                        };
                    };
                };
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    updateApiKey: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
                /** @description The ETag that the change was made from; where it has another by now, 412. */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                keyId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "my-cache",
                 *       "permissions": [
                 *         "read",
                 *         "write"
                 *       ],
                 *       "ipWhitelist": [
                 *         "192.0.2.0/24"
                 *       ],
                 *       "rateLimit": 1000,
                 *       "expiresAt": "2030-01-01T00:00:00Z"
                 *     }
                 */
                "application/json": components["schemas"]["ApiKeyChanges"];
            };
        };
        responses: {
            /** @description Changed, and in force */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        apiKey: components["schemas"]["ApiKeyWithInstances"];
                    };
                };
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listOperations: {
        parameters: {
            query?: {
                /** @description Only those with one of these; repeated or separated by commas. */
                status?: components["schemas"]["OperationStatus"][];
                /** @description How many at most. */
                limit?: number;
                /** @description Where to go on: the nextCursor of the page before. */
                cursor?: string;
            };
            header?: {
                /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
            };
            path: {
                instanceId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The operations */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        operations: components["schemas"]["Operation"][];
                        /**
                         * @description Give it as `cursor` for the next page; null after the last.
                         * @example null
                         */
                        nextCursor: string | null;
                    };
                };
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getOperation: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
            };
            path: {
                operationId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The operation */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        operation: components["schemas"]["Operation"];
                    };
                };
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    followOperation: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
            };
            path: {
                operationId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The events, until the operation has ended */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": components["schemas"]["OperationEvent"];
                };
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getInstanceMetrics: {
        parameters: {
            query?: {
                /** @description Where to begin; 24 hours before `to` where left out. */
                from?: string;
                /** @description Where to end; now where left out. */
                to?: string;
                /** @description Seconds that a point stands for, a multiple of 60. */
                step?: number;
            };
            header?: {
                /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
            };
            path: {
                instanceId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Points that were measured, oldest first, and the latest minute, read just now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        metrics: components["schemas"]["MetricPoint"][];
                        current: components["schemas"]["MetricPoint"];
                    };
                };
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listBackupsOfInstance: {
        parameters: {
            query?: {
                /** @description How many at most. */
                limit?: number;
                /** @description Where to go on: the nextCursor of the page before. */
                cursor?: string;
            };
            header?: {
                /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
            };
            path: {
                instanceId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The backups */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        backups: components["schemas"]["Backup"][];
                        /**
                         * @description Give it as `cursor` for the next page; null after the last.
                         * @example null
                         */
                        nextCursor: string | null;
                    };
                };
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createBackup: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
                /** @description A value that no other request has, e.g. a UUID. Sent again with the same request, within 24 hours, it gives the first answer once more and changes nothing. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                instanceId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description QUEUED; AVAILABLE once a Redis of its own has loaded it */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        backup: components["schemas"]["Backup"];
                    };
                };
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    importBackup: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
            };
            path: {
                instanceId: string;
            };
            cookie?: never;
        };
        /** @description An RDB file, at most a little larger than maxMemory. */
        requestBody: {
            content: {
                /** @example REDIS… */
                "application/octet-stream": string;
            };
        };
        responses: {
            /** @description QUEUED; AVAILABLE once a Redis like that of the instance has loaded it */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        backup: components["schemas"]["Backup"];
                    };
                };
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    restoreInstance: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
                /** @description A value that no other request has, e.g. a UUID. Sent again with the same request, within 24 hours, it gives the first answer once more and changes nothing. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                instanceId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "backupId": "bkp_abcdefghijklmnop"
                 *     }
                 */
                "application/json": components["schemas"]["Restore"];
            };
        };
        responses: {
            /** @description Wanted; the operation says how far it is */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        instance: components["schemas"]["Instance"];
                        operation: components["schemas"]["Operation"];
                    };
                };
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listBackups: {
        parameters: {
            query: {
                /** @description The organization in question. */
                organizationId: string;
                /** @description Only those of this instance, deleted or not. */
                instanceId?: string;
                /** @description Only those with one of these; repeated or separated by commas. */
                status?: components["schemas"]["BackupStatus"][];
                /** @description How many at most. */
                limit?: number;
                /** @description Where to go on: the nextCursor of the page before. */
                cursor?: string;
            };
            header?: {
                /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The backups */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        backups: components["schemas"]["Backup"][];
                        /**
                         * @description Give it as `cursor` for the next page; null after the last.
                         * @example null
                         */
                        nextCursor: string | null;
                    };
                };
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getBackup: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
            };
            path: {
                backupId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The backup */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        backup: components["schemas"]["Backup"];
                    };
                };
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteBackup: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
            };
            path: {
                backupId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Deleted */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    downloadBackup: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
            };
            path: {
                backupId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The RDB file */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": string;
                };
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    signUp: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
                /** @description A value that no other request has, e.g. a UUID. Sent again with the same request, within 24 hours, it gives the first answer once more and changes nothing. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "email": "ada@example.com",
                 *       "password": "correct horse battery",
                 *       "name": "Ada",
                 *       "organizationName": "my-cache",
                 *       "invitation": "Zk3v…"
                 *     }
                 */
                "application/json": components["schemas"]["NewPerson"];
            };
        };
        responses: {
            /** @description The person, with a session, and their organization */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        user: components["schemas"]["Person"];
                        organization: components["schemas"]["Organization"];
                    };
                };
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    logIn: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
                /** @description A value that no other request has, e.g. a UUID. Sent again with the same request, within 24 hours, it gives the first answer once more and changes nothing. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "email": "ada@example.com",
                 *       "password": "correct horse battery"
                 *     }
                 */
                "application/json": components["schemas"]["Credentials"];
            };
        };
        responses: {
            /** @description The person, with a session, and their organizations */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        user: components["schemas"]["Person"];
                        organizations: components["schemas"]["Organization"][];
                    };
                };
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    logOut: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The session has ended, if there was one */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getSession: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The person and their organizations */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        user: components["schemas"]["Person"];
                        organizations: components["schemas"]["Organization"][];
                    };
                };
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    changePassword: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
                /** @description A value that no other request has, e.g. a UUID. Sent again with the same request, within 24 hours, it gives the first answer once more and changes nothing. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "currentPassword": "correct horse battery",
                 *       "newPassword": "correct horse battery"
                 *     }
                 */
                "application/json": components["schemas"]["PasswordChange"];
            };
        };
        responses: {
            /** @description Changed */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listOrganizations: {
        parameters: {
            query?: {
                /** @description How many at most. */
                limit?: number;
                /** @description Where to go on: the nextCursor of the page before. */
                cursor?: string;
            };
            header?: {
                /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The organizations */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        organizations: components["schemas"]["Organization"][];
                        /**
                         * @description Give it as `cursor` for the next page; null after the last.
                         * @example null
                         */
                        nextCursor: string | null;
                    };
                };
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createOrganization: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
                /** @description A value that no other request has, e.g. a UUID. Sent again with the same request, within 24 hours, it gives the first answer once more and changes nothing. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "my-cache"
                 *     }
                 */
                "application/json": components["schemas"]["NewOrganization"];
            };
        };
        responses: {
            /** @description The organization */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        organization: components["schemas"]["Organization"];
                    };
                };
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getOrganization: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
            };
            path: {
                organizationId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The organization */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        organization: components["schemas"]["OrganizationDetails"];
                    };
                };
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteOrganization: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
            };
            path: {
                organizationId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Deleted */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    updateOrganization: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
                /** @description The ETag that the change was made from; where it has another by now, 412. */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                organizationId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "my-cache"
                 *     }
                 */
                "application/json": components["schemas"]["OrganizationChanges"];
            };
        };
        responses: {
            /** @description Renamed */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        organization: components["schemas"]["OrganizationDetails"];
                    };
                };
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listMembers: {
        parameters: {
            query?: {
                /** @description How many at most. */
                limit?: number;
                /** @description Where to go on: the nextCursor of the page before. */
                cursor?: string;
            };
            header?: {
                /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
            };
            path: {
                organizationId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The members */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        members: components["schemas"]["Member"][];
                        /**
                         * @description Give it as `cursor` for the next page; null after the last.
                         * @example null
                         */
                        nextCursor: string | null;
                    };
                };
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    removeMember: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
            };
            path: {
                organizationId: string;
                userId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Removed */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    updateMember: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
                /** @description The ETag that the change was made from; where it has another by now, 412. */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                organizationId: string;
                userId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "role": "viewer"
                 *     }
                 */
                "application/json": components["schemas"]["MemberChanges"];
            };
        };
        responses: {
            /** @description In force from the next request on */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        member: components["schemas"]["Member"];
                    };
                };
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listInvitations: {
        parameters: {
            query?: {
                /** @description How many at most. */
                limit?: number;
                /** @description Where to go on: the nextCursor of the page before. */
                cursor?: string;
            };
            header?: {
                /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
            };
            path: {
                organizationId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The invitations */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        invitations: components["schemas"]["Invitation"][];
                        /**
                         * @description Give it as `cursor` for the next page; null after the last.
                         * @example null
                         */
                        nextCursor: string | null;
                    };
                };
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createInvitation: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
                /** @description A value that no other request has, e.g. a UUID. Sent again with the same request, within 24 hours, it gives the first answer once more and changes nothing. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                organizationId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "role": "viewer",
                 *       "email": "grace@example.com"
                 *     }
                 */
                "application/json": components["schemas"]["NewInvitation"];
            };
        };
        responses: {
            /** @description The invitation with its link */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        invitation: components["schemas"]["CreatedInvitation"];
                    };
                };
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    revokeInvitation: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
            };
            path: {
                organizationId: string;
                invitationId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Revoked */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    acceptInvitation: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
                /** @description A value that no other request has, e.g. a UUID. Sent again with the same request, within 24 hours, it gives the first answer once more and changes nothing. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "secret": "Zk3v…"
                 *     }
                 */
                "application/json": components["schemas"]["Acceptance"];
            };
        };
        responses: {
            /** @description The organization, and the role in it */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        organization: components["schemas"]["Organization"];
                        role: components["schemas"]["Role"];
                    };
                };
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listAccountKeys: {
        parameters: {
            query?: {
                /** @description Without it, the personal keys of the caller. */
                organizationId?: string;
                /** @description How many at most. */
                limit?: number;
                /** @description Where to go on: the nextCursor of the page before. */
                cursor?: string;
            };
            header?: {
                /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The keys, without their text */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        accountKeys: components["schemas"]["AccountKey"][];
                        /**
                         * @description Give it as `cursor` for the next page; null after the last.
                         * @example null
                         */
                        nextCursor: string | null;
                    };
                };
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createAccountKey: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
                /** @description A value that no other request has, e.g. a UUID. Sent again with the same request, within 24 hours, it gives the first answer once more and changes nothing. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "deploy",
                 *       "organizationId": "org_abc123",
                 *       "expiresAt": "2030-01-01T00:00:00Z"
                 *     }
                 */
                "application/json": components["schemas"]["NewAccountKey"];
            };
        };
        responses: {
            /** @description The key. Its text is shown only here. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        createdAccountKey: components["schemas"]["CreatedAccountKey"];
                    };
                };
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getAccountKey: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
            };
            path: {
                accountKeyId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The key, without its text */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        accountKey: components["schemas"]["AccountKey"];
                    };
                };
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteAccountKey: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
            };
            path: {
                accountKeyId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Deleted */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    updateAccountKey: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
                /** @description The ETag that the change was made from; where it has another by now, 412. */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                accountKeyId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "my-cache"
                 *     }
                 */
                "application/json": components["schemas"]["AccountKeyChanges"];
            };
        };
        responses: {
            /** @description Renamed */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        accountKey: components["schemas"]["AccountKey"];
                    };
                };
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listAuditEntries: {
        parameters: {
            query?: {
                /** @description Without it: what the person who asks did, and what was done to their account. */
                organizationId?: string;
                action?: string;
                outcome?: "done" | "refused";
                /** @description The id of what it is about. */
                targetId?: string;
                /** @description From this time on. */
                from?: string;
                /** @description Before this time. */
                to?: string;
                /** @description How many at most. */
                limit?: number;
                /** @description Where to go on: the nextCursor of the page before. */
                cursor?: string;
            };
            header?: {
                /** @description A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. Any other is replaced. */
                "X-Request-Id"?: components["parameters"]["RequestId"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The entries */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        entries: components["schemas"]["AuditEntry"][];
                        /**
                         * @description Give it as `cursor` for the next page; null after the last.
                         * @example null
                         */
                        nextCursor: string | null;
                    };
                };
            };
            /** @description A fault of the service, or what any path may answer (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    runCommand: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example inst_abc123 */
                instanceId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example [
                 *       "SET",
                 *       "greeting",
                 *       "hello",
                 *       "EX",
                 *       60
                 *     ]
                 */
                "application/json": (string | number | boolean)[];
            };
        };
        responses: {
            /** @description What Redis replied */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CommandResult"];
                };
            };
            /** @description Anything else */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CommandError"];
                };
            };
        };
    };
    runCommandInPath: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example inst_abc123 */
                instanceId: string;
                /** @example get */
                command: string;
                /** @example greeting */
                argument: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What Redis replied */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CommandResult"];
                };
            };
            /** @description Anything else */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CommandError"];
                };
            };
        };
    };
    runPipeline: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example inst_abc123 */
                instanceId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example [
                 *       [
                 *         "SET",
                 *         "greeting",
                 *         "hello"
                 *       ],
                 *       [
                 *         "GET",
                 *         "greeting"
                 *       ]
                 *     ]
                 */
                "application/json": (string | number | boolean)[][];
            };
        };
        responses: {
            /** @description What Redis replied */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": (components["schemas"]["CommandResult"] | components["schemas"]["CommandError"])[];
                };
            };
            /** @description Anything else */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CommandError"];
                };
            };
        };
    };
    runTransaction: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example inst_abc123 */
                instanceId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example [
                 *       [
                 *         "SET",
                 *         "greeting",
                 *         "hello"
                 *       ],
                 *       [
                 *         "GET",
                 *         "greeting"
                 *       ]
                 *     ]
                 */
                "application/json": (string | number | boolean)[][];
            };
        };
        responses: {
            /** @description What Redis replied */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": (components["schemas"]["CommandResult"] | components["schemas"]["CommandError"])[];
                };
            };
            /** @description Anything else */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CommandError"];
                };
            };
        };
    };
    subscribe: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example inst_abc123 */
                instanceId: string;
                /** @example news */
                channel: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What Redis replied */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            /** @description Anything else */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CommandError"];
                };
            };
        };
    };
    subscribeToPatterns: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example inst_abc123 */
                instanceId: string;
                /** @example news.* */
                pattern: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What Redis replied */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            /** @description Anything else */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CommandError"];
                };
            };
        };
    };
    monitorCommands: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example inst_abc123 */
                instanceId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What Redis replied */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            /** @description Anything else */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CommandError"];
                };
            };
        };
    };
}
