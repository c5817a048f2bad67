package parity

import (
	_ "embed"
	"encoding/json"
	"slices"
	"strings"
)

//go:embed testdata/inventory.json
var inventoryJSON []byte

// Library is what a Python library offers for containers.
type Library struct {
	Version   string   `json:"version"`
	Container []string `json:"Container"`
	// Manager is ContainerCollection in docker-py, ContainersManager in podman-py.
	Collection []string `json:"ContainerCollection"`
	Manager    []string `json:"ContainersManager"`
	Create     []string `json:"create"`
}

// Inventory is what both libraries offer.
type Inventory struct {
	Docker Library `json:"docker-py"`
	Podman Library `json:"podman-py"`
}

// ParseInventory reads what inventory.py prints.
func ParseInventory(data []byte) (Inventory, error) {
	var inv Inventory
	err := json.Unmarshal(data, &inv)
	return inv, err
}

// Committed is the inventory in testdata.
func Committed() (Inventory, error) { return ParseInventory(inventoryJSON) }

// Group is one table of the page.
type Group struct {
	Title          string
	Rows           []Row
	Docker, Podman []string // names in the libraries
}

// Groups are the tables of docs/parity.md.
func Groups(inv Inventory) []Group {
	return []Group{
		{"Members of Container", containerRows(), inv.Docker.Container, inv.Podman.Container},
		{"Members of ContainerCollection (docker-py) and ContainersManager (podman-py)", managerRows(), inv.Docker.Collection, inv.Podman.Manager},
		{"Options of create and run", optionRows(), inv.Docker.Create, inv.Podman.Create},
	}
}

// names are the Python names of a row: "a, b" are two, and what follows "(" or ":" is no part of one.
func (r Row) names() []string {
	base, _, _ := strings.Cut(r.Name, "(")
	base, _, _ = strings.Cut(base, ":")
	return strings.Split(base, ", ")
}

// in tells whether one of the row's names is in list.
func (r Row) in(list []string) bool {
	return slices.ContainsFunc(r.names(), func(n string) bool { return slices.Contains(list, n) })
}
