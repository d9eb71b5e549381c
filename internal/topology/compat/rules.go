package compat

// Component is a part of a deployment.
type Component string

// The components.
const (
	Controllers Component = "controller"
	Registry    Component = "registry"
	Etcd        Component = "etcd"
)

// Rule is a minimum that controllers of certain releases have for another
// component.
type Rule struct {
	// From is the first controller the rule holds for. It holds until a later
	// one for the same component asks for more.
	From Release
	// Needs is the component, AtLeast its oldest release that will do.
	Needs   Component
	AtLeast Release
	// Because is what is known, and from where, as a sentence.
	Because string
}

// newest are the last controllers whose requirements the vendor had published
// when the rules were written. Newer ones are held to the newest rules.
var newest = Release{1, 50, 0}

// Rules are the vendor's published requirements. Adding one is adding a row;
// of several that hold for a controller the strictest counts.
var Rules = []Rule{
	{
		From: Release{1, 20, 0}, Needs: Registry, AtLeast: Release{1, 19, 0},
		Because: "The vendor's documentation says that controllers from 1.20 on need a registry from 1.19 on.",
	},
	{
		From: Release{1, 41, 1}, Needs: Etcd, AtLeast: Release{3, 5, 16},
		Because: "The vendor's documentation names etcd 3.5.16 for controllers 1.41.1 to 1.47.",
	},
	{
		From: Release{1, 48, 0}, Needs: Registry, AtLeast: Release{1, 48, 0},
		Because: "The vendor's documentation says that controllers 1.48 to 1.50 need a registry from 1.48.0 on.",
	},
	{
		From: Release{1, 48, 0}, Needs: Etcd, AtLeast: Release{3, 5, 21},
		Because: "The vendor's documentation says that controllers 1.48 to 1.50 need etcd from 3.5.21 on.",
	},
}

var (
	// tokenOnly are the first controllers that authenticate to the registry
	// with the root token and nothing else. Older ones could use certificates.
	tokenOnly = Release{1, 34, 0}
	// noInternalPort are the first whose registries have no internal port 8085.
	noInternalPort = Release{1, 36, 0}
)

// holds reports whether the rule is about this controller.
func (r Rule) holds(controller Release) bool {
	return !controller.IsZero() && !controller.Before(r.From)
}

// strictest is the rule with the highest minimum for a component; ok is false
// when there is none.
func strictest(controller Release, needs Component) (rule Rule, ok bool) {
	for _, r := range Rules {
		if r.Needs == needs && r.holds(controller) && (!ok || rule.AtLeast.Before(r.AtLeast)) {
			rule, ok = r, true
		}
	}
	return rule, ok
}

// unpublished reports whether a controller is newer than what the rules were
// written for.
func unpublished(controller Release) bool {
	return newest.Before(Release{controller.Major, controller.Minor, 0})
}
