// Package berthtest starts containers for Go tests.
//
//	func TestStore(t *testing.T) {
//		db := berthtest.Start(t, berth.Spec{
//			Image: "postgres:18",
//			Env:   map[string]string{"POSTGRES_PASSWORD": "x"},
//			Ports: []berth.Port{{Container: "5432/tcp"}},
//		}, berth.LogMatches("ready to accept"))
//		addr, err := db.Addr(t.Context(), "5432/tcp")
//		…
//	}
//
// The container is removed, with its anonymous volumes, when the test ends; the
// end of its log is shown when the test has failed. A test is skipped where there is no
// container engine, or fails there when the environment variable
// BERTH_TEST_REQUIRE is set, which a CI that has one should do.
//
// What is started here carries two labels: dev.berth.session, the same for all
// that one test binary starts, and dev.berth.test, the name of the test. A test
// binary that is killed cleans up nothing: [RemoveStale] finds by these labels
// what earlier ones have left.
//
// This package is for tests only: it imports package testing. It sets nothing up
// outside of containers, and starts no engine.
package berthtest
