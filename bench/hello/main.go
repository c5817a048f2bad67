package main

import (
	"context"
	"fmt"
	"os"

	"github.com/berthdev/berth"
)

func main() {
	if err := list(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "hello:", err)
		os.Exit(1)
	}
}

func list(ctx context.Context) error {
	cli, err := berth.New(ctx)
	if err != nil {
		return err
	}
	defer cli.Close()
	all, err := cli.Containers.List(ctx, berth.ListOptions{All: true})
	if err != nil {
		return err
	}
	for _, c := range all {
		fmt.Println(c.ShortID(), c.Name())
	}
	return nil
}
