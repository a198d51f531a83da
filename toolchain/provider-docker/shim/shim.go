// Package shim opens the Terraform provider's internal package to the bridge: Go lets only a
// package below the provider's own import path import it, and this one claims such a path.
package shim

import (
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	"github.com/terraform-providers/terraform-provider-docker/internal/provider"
)

// NewProvider gives the Terraform provider for Docker.
func NewProvider() *schema.Provider {
	return provider.New("dev")()
}
