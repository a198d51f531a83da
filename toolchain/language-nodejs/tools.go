//go:build tools

// Package tools pins Pulumi's language host for Node.js. v3.50.0 is the last published module
// that still holds the host as a package, and CLI v3.220.0 still speaks its protocol.
package tools

import _ "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs"
