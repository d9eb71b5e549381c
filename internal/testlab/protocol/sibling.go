package protocol

import (
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Sibling is another resource of the same configured provider, for what
// resources know of each other.
func (s *Server) Sibling(name string) *Server {
	s.t.Helper()
	schemas, err := s.GetProviderSchema(s.t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		s.t.Fatal(err)
	}
	schema, found := schemas.ResourceSchemas[name]
	if !found {
		s.t.Fatalf("no resource %s: %s", name, Lines(schemas.Diagnostics))
	}
	return &Server{ProviderServer: s.ProviderServer, Type: schema.ValueType().(tftypes.Object), t: s.t, name: name}
}
