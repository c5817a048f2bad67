package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"

	"github.com/berthdev/berth/internal/testmod/parity"
)

func main() {
	var (
		check     = flag.Bool("check", false, "compare")
		write     = flag.Bool("write", false, "take over")
		results   = flag.String("results", "", "directory of the results")
		inventory = flag.String("inventory", "", "output of inventory.py to compare with")
	)
	flag.Parse()
	if err := run(*check, *write, *results, *inventory); err != nil {
		fmt.Fprintln(os.Stderr, "parity:", err)
		os.Exit(1)
	}
}

func run(check, write bool, results, inventory string) error {
	const docs = "docs"
	committed := filepath.Join(docs, "conformance")
	inv, err := parity.Committed()
	if err != nil {
		return err
	}
	if inventory != "" {
		data, err := os.ReadFile(inventory)
		if err != nil {
			return err
		}
		got, err := parity.ParseInventory(data)
		if err != nil {
			return err
		}
		if !reflect.DeepEqual(got, inv) {
			return errors.New("the libraries offer something else than internal/testmod/parity/testdata/inventory.json says")
		}
		fmt.Println("parity: the inventory is what the libraries offer")
	}
	switch {
	case write:
		if results != "" {
			fresh, err := parity.Read(results)
			if err != nil {
				return err
			}
			old, _ := parity.Read(committed) // none the first time
			if err := os.MkdirAll(committed, 0o755); err != nil {
				return err
			}
			if err := parity.Write(committed, fresh, old); err != nil {
				return err
			}
		}
		reports, err := parity.Read(committed)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(docs, "parity.md"), []byte(parity.Render(inv, reports)), 0o644)
	case check:
		was, err := parity.Read(committed)
		if err != nil {
			return err
		}
		fresh, err := parity.Read(results)
		if err != nil {
			return err
		}
		diffs := parity.Differences(was, fresh)
		for _, d := range diffs {
			fmt.Println("parity:", d)
		}
		if len(diffs) > 0 {
			return fmt.Errorf("%d outcomes differ from docs/conformance", len(diffs))
		}
		fmt.Println("parity: docs/parity.md says what the engines have shown")
		return nil
	}
	if inventory == "" {
		return errors.New("say -check or -write")
	}
	return nil
}
