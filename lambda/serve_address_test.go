package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Unless told otherwise, only this machine reaches `serve`. Where the port is
// taken, its error names the address as well.
func TestServeListensOnThisMachineAlone(t *testing.T) {
	p := newPlace(t, nil)
	log := filepath.Join(t.TempDir(), "log")
	file, err := os.Create(log)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	cmd, _, _ := p.process(nil, "serve")
	cmd.Stderr = file
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()         //nolint:errcheck // it was killed
	defer cmd.Process.Kill() //nolint:errcheck // it may have ended
	printed := ""
	for end := time.Now().Add(20 * time.Second); !strings.Contains(printed,
		":8080"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it does not say where it listens: %s", printed)
		}
		raw, _ := os.ReadFile(log)
		printed = string(raw)
	}
	if !strings.Contains(printed, "127.0.0.1:8080") {
		t.Errorf("it listens elsewhere: %s", printed)
	}
}
