package embedded

import (
	"math/rand/v2"
	"strconv"
)

// adjectives and nouns make the names of containers that are given none:
// calm_harbour. 64 times 64 of them; a taken one gets a number.
var adjectives = [...]string{
	"able", "agile", "airy", "amber", "ample", "azure", "balmy", "bold",
	"brave", "breezy", "brisk", "bright", "calm", "candid", "clear", "coastal",
	"cobalt", "coral", "crisp", "deft", "eager", "early", "fair", "fleet",
	"fond", "frank", "fresh", "gentle", "glad", "golden", "grand", "hale",
	"handy", "happy", "hardy", "honest", "jolly", "keen", "kind", "lively",
	"lucid", "lunar", "mellow", "merry", "mild", "misty", "neat", "nimble",
	"noble", "patient", "placid", "plucky", "proud", "quiet", "rapid", "ruddy",
	"salty", "serene", "silver", "steady", "sunny", "swift", "tidy", "trusty",
}

var nouns = [...]string{
	"albatross", "anchor", "atoll", "barge", "bay", "beacon", "boom", "bowline",
	"breeze", "brig", "buoy", "cape", "capstan", "captain", "channel", "clipper",
	"cog", "compass", "corvette", "cove", "cutter", "delta", "dinghy", "dock",
	"dolphin", "dory", "estuary", "ferry", "fjord", "frigate", "galleon", "gull",
	"harbour", "heron", "jetty", "keel", "ketch", "lagoon", "lantern", "lighthouse",
	"lugger", "mariner", "marlin", "mast", "mooring", "osprey", "packet", "pelican",
	"pilot", "porpoise", "puffin", "quay", "reef", "rigging", "rudder", "schooner",
	"sextant", "skiff", "sloop", "spinnaker", "tern", "tide", "tug", "yawl",
}

// newName makes a name. try counts those that were taken.
func newName(try int) string {
	name := adjectives[rand.IntN(len(adjectives))] + "_" + nouns[rand.IntN(len(nouns))]
	if try > 0 {
		name += strconv.Itoa(rand.IntN(10 * try))
	}
	return name
}
