//go:build tools

// Package tools pins the Pulumi CLI, so that it can be built from its published modules where
// its official download cannot be reached. setup/steps/pulumi.js runs the build.
package tools

import _ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
