// Command pulumi-resource-docker is Pulumi's Docker provider as its users know it at 5.2.0: the
// Terraform provider for Docker behind Pulumi's bridge, with the tokens and the field names of
// the npm package @pulumi/docker 5.2.0. It is built only where the official plugin cannot be
// downloaded, and it holds the resources a region can be made of, no more: no image builds, no
// registries, no functions.
package main

import (
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shimv2 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
	"github.com/terraform-providers/terraform-provider-docker/shim"
)

const (
	name    = "docker"
	version = "5.2.0"
)

// Programs bring their own types with @pulumi/docker, so the engine never asks for more of the
// schema than whose it is.
var schema = []byte(`{"name":"` + name + `","version":"` + version + `"}`)

func main() {
	tfbridge.Main(name, version, providerInfo(), schema)
}

func providerInfo() tfbridge.ProviderInfo {
	return tfbridge.ProviderInfo{
		P:       shimv2.NewProvider(shim.NewProvider()),
		Name:    name,
		Version: version,
		Config: map[string]*tfbridge.SchemaInfo{
			"host":          {Default: &tfbridge.DefaultInfo{EnvVars: []string{"DOCKER_HOST"}}},
			"registry_auth": {Name: "registryAuth", MaxItemsOne: tfbridge.False()},
		},
		Resources: map[string]*tfbridge.ResourceInfo{
			"docker_config": {Tok: tfbridge.MakeResource(name, "index", "ServiceConfig")},
			"docker_container": {
				Tok: tfbridge.MakeResource(name, "index", "Container"),
				// Two lists whose names Pulumi did not put in the plural.
				Fields: map[string]*tfbridge.SchemaInfo{
					"command":           {Name: "command"},
					"networks_advanced": {Name: "networksAdvanced"},
				},
				// A container's name and its published ports can belong to one container only.
				DeleteBeforeReplace: true,
			},
			"docker_image": {
				Tok:    tfbridge.MakeResource(name, "index", "RemoteImage"),
				Fields: map[string]*tfbridge.SchemaInfo{"name": {Name: "name"}},
			},
			"docker_network": {Tok: tfbridge.MakeResource(name, "index", "Network")},
			"docker_secret":  {Tok: tfbridge.MakeResource(name, "index", "Secret")},
			"docker_service": {Tok: tfbridge.MakeResource(name, "index", "Service")},
			"docker_volume":  {Tok: tfbridge.MakeResource(name, "index", "Volume")},
		},
		IgnoreMappings: []string{
			"docker_buildx_builder", "docker_compose", "docker_plugin", "docker_registry_image",
			"docker_tag",
		},
	}
}
