//go:build linux

package config

import (
	"errors"
	"testing"
)

// TestAccounts: a user is looked up once for each key, and who is told may change the groups; failures are not remembered.
func TestAccounts(t *testing.T) {
	var a Accounts
	calls := 0
	find := func() (identity, error) {
		calls++
		id := identity{home: "/home"}
		id.user.AdditionalGids = []uint32{1, 2}
		return id, nil
	}
	for range 3 {
		id, err := a.get("image\x00user", find)
		if err != nil || id.home != "/home" || id.user.AdditionalGids[0] != 1 {
			t.Errorf("%+v, %v", id, err)
		}
		id.user.AdditionalGids[0] = 9
	}
	if calls != 1 {
		t.Errorf("%d questions", calls)
	}
	if _, err := a.get("other", func() (identity, error) { return identity{}, errors.New("no") }); err == nil {
		t.Error("a failure is lost")
	}
	if _, err := a.get("other", find); err != nil || calls != 2 {
		t.Errorf("a failure is remembered: %v, %d questions", err, calls)
	}
	for i := range 2 * maxKnown {
		a.get(string(rune(i)), find)
	}
	if len(a.known) > maxKnown {
		t.Errorf("%d are remembered", len(a.known))
	}
}
