package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestMergeIsTheUnionWithoutWhatJavaMakesItself(t *testing.T) {
	folder := t.TempDir()
	for name, content := range map[string]string{
		"1": "# NOTE\njava/lang/Object id: 0\norg/flywaydb/core/Flyway id: 7\njdk/proxy2/$Proxy6 id: 9\n",
		"2": "java/lang/Object id: 0\norg/postgresql/Driver id: 7\n@lambda-proxy a b " +
			"c\njava/lang/invoke/BoundMethodHandle$Species_LI id: 8\n",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := merge(folder)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"java/lang/Object", "org/flywaydb/core/Flyway", "org/postgresql/Driver", "@lambda-proxy a b c"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if _, err := merge(t.TempDir()); err == nil {
		t.Error("no list at all is no error")
	}
}
