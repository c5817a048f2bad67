// Package userns starts programs in a user namespace of an ordinary user: one in
// which that user is root and has as many further IDs as the machine gives him.
//
// The subordinate IDs are those of /etc/subuid and /etc/subgid, which the set-user-ID
// programs newuidmap and newgidmap map. Where there are none, or not these programs,
// the user's own ID is the only one.
package userns
