package main

import (
	"context"
	"testing"
)

func TestCommand_helpIsNoError(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"-h"}, {"help"}, {"up", "--help"}, {"status", "-h"}} {
		if err := command(context.Background(), args); err != nil {
			t.Errorf("%q: %v", args, err)
		}
	}
	for _, args := range [][]string{nil, {"sideways"}, {"up", "--colour"}} {
		if err := command(context.Background(), args); err == nil {
			t.Errorf("%q was no error", args)
		}
	}
}
