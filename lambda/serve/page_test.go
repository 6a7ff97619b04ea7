package serve

import (
	"context"
	"net/http"
	"strings"
	"testing"
)

// A page that is open in a browser on this machine can post here without the
// browser asking anybody.
func TestWebPagesAreRefused(t *testing.T) {
	invoked := 0
	url, end := listening(t, func(context.Context, []byte) ([]byte, error) {
		invoked++
		return []byte("{}"), nil
	})
	for _, origin := range []string{"https://attacker.example", "null", "http://127.0.0.1:8080", ""} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+Path, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "text/plain")
		want := http.StatusOK
		if origin != "" {
			request.Header.Set("Origin", origin)
			want = http.StatusForbidden
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("origin %q: %s", origin, response.Status)
		}
	}
	if err := end(); err != nil || invoked != 1 {
		t.Errorf("invoked %d times, %v", invoked, err)
	}
}
