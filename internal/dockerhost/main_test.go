package dockerhost

import (
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab"
)

func TestMain(m *testing.M) { testlab.Main(m) }
