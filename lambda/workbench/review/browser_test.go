package review

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// browser starts a headless Chromium. Where there is none, the test says so
// and is left out, but never in CI.
func browser(t *testing.T) context.Context {
	t.Helper()
	program := ""
	for _, name := range []string{os.Getenv("CHROMIUM"), "chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil && name != "" {
			program = path
			break
		}
	}
	if program == "" && os.Getenv("CI") == "true" {
		t.Fatal("there is no Chromium: install the package chromium, or set CHROMIUM")
	}
	if program == "" {
		t.Skip("not run, since Chromium is missing: install the package chromium, or set CHROMIUM")
	}
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(program), chromedp.UserDataDir(t.TempDir()), chromedp.Headless, chromedp.NoSandbox,
		chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("hide-scrollbars", true),
		chromedp.WSURLReadTimeout(time.Minute),
	}
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx) // waits until the browser is gone
		cancel()
	})
	return ctx
}

// heard is what the browser said about a page, and what it asked for.
type heard struct {
	mu       sync.Mutex
	console  []string
	requests []string
}

func (h *heard) listen(ctx context.Context) error {
	return chromedp.Listen(ctx, func(event any) {
		h.mu.Lock()
		defer h.mu.Unlock()
		switch e := event.(type) {
		case *runtime.EventConsoleAPICalled:
			h.console = append(h.console, string(e.Type))
		case *runtime.EventExceptionThrown:
			h.console = append(h.console, e.ExceptionDetails.Text)
		case *log.EventEntryAdded:
			h.console = append(h.console, e.Entry.Text)
		case *network.EventRequestWillBeSent:
			h.requests = append(h.requests, e.Request.URL)
		}
	})
}

// measures are taken in the page: texts with too little contrast to what is
// behind them or too small to read, elements that reach beyond the window, and
// regions that scroll on their own.
const measures = `(() => {
	const rgb = c => c.match(/[\d.]+/g).map(Number);
	const light = c => { const [r, g, b] = rgb(c).map(v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
	const behind = e => { for (; e; e = e.parentElement) { const b = getComputedStyle(e).backgroundColor; if (rgb(b).length < 4 || rgb(b)[3] > 0) return b; } return 'rgb(255, 255, 255)'; };
	const contrast = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
	const out = {faint: [], small: [], wide: [], texts: 0, svg: 0, faintSVG: []};
	for (const e of document.querySelectorAll('body *')) {
		const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
		const box = e.getBoundingClientRect();
		if (!box.width || !box.height) continue;
		const inScroller = e.closest('pre, .canvas') && !e.matches('pre, .canvas');
		if (!inScroller && box.right > innerWidth + 1) out.wide.push(e.tagName + '.' + e.className + ' ' + Math.round(box.right));
		if (!own) continue;
		const style = getComputedStyle(e);
		if (e instanceof SVGElement) {
			out.svg++;
			const size = parseFloat(e.getAttribute('font-size')) * e.getScreenCTM().a;
			if (size < 9) out.small.push(e.textContent + ' ' + size);
			const shapes = [...e.parentElement.querySelectorAll('polygon')].filter(p => { const b = p.getBoundingClientRect(); return b.left <= box.left && b.right >= box.right - 1 && b.top <= box.top + 4 && b.bottom >= box.bottom - 4 && getComputedStyle(p).fill !== 'none'; });
			const back = shapes.length ? getComputedStyle(shapes[shapes.length - 1]).fill : behind(e.closest('.canvas'));
			if (contrast(style.fill, back) < 4.5) out.faintSVG.push(e.textContent + ' ' + style.fill + ' on ' + back);
			continue;
		}
		out.texts++;
		if (parseFloat(style.fontSize) < 12) out.small.push(e.textContent.slice(0, 40) + ' ' + style.fontSize);
		if (contrast(style.color, behind(e)) < 4.5) out.faint.push(e.textContent.slice(0, 40) + ' ' + style.color + ' on ' + behind(e));
	}
	out.page = document.documentElement.scrollWidth;
	out.window = innerWidth;
	return out;
})()`

type measured struct {
	Faint, Small, Wide, FaintSVG []string
	Texts, SVG, Page, Window     int
}

// The page is looked at as a reader would: at the width of a phone and of a
// desk, light and dark. SCREENSHOTS names a folder that keeps the pictures.
func TestPageInABrowser(t *testing.T) {
	ctx := browser(t)
	var h heard
	_, failure := chromedp.Call(ctx, network.Enable, network.EnableParams{})
	_, failure2 := chromedp.Call(ctx, log.Enable, cdp.Empty{})
	_, failure3 := chromedp.Call(ctx, runtime.Enable, cdp.Empty{})
	if err := errors.Join(h.listen(ctx), failure, failure2, failure3); err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for name, review := range map[string]*Review{"example": example(), "clean": clean(), "failed": failing(),
		"many": many()} {
		file := filepath.Join(folder, name+".html")
		html, err := review.HTML(ctx)
		if err == nil {
			err = os.WriteFile(file, html, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, width := range []int64{400, 1400} {
			for _, scheme := range []string{"light", "dark"} {
				t.Run(fmt.Sprintf("%s %d %s", name, width, scheme), func(t *testing.T) {
					lookAt(ctx, t, file, width, scheme, name)
				})
			}
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.console) > 0 {
		t.Errorf("on the console: %q", h.console)
	}
	for _, url := range h.requests {
		if !strings.HasPrefix(url, "file://"+folder) && !strings.HasPrefix(url, "data:") {
			t.Errorf("the page asks for %s", url)
		}
	}
	if len(h.requests) == 0 {
		t.Error("no request was heard, not even the page's own")
	}
}

func lookAt(ctx context.Context, t *testing.T, file string, width int64, scheme, name string) {
	m, picture, err := look(ctx, "file://"+file, width, scheme, name != "many")
	if err != nil {
		t.Fatal(err)
	}
	if folder := os.Getenv("SCREENSHOTS"); folder != "" {
		_ = os.WriteFile(filepath.Join(folder, fmt.Sprintf("%s-%d-%s.png", name, width, scheme)), picture, 0o644)
	}
	m.judge(t, name == "failed")
	if name == "example" {
		judgePicture(t, picture, int(width), scheme)
	}
}

// look opens the page at that width and in that colour scheme, measures it and
// takes a picture of all of it.
func look(ctx context.Context, url string, width int64, scheme string, open bool) (m measured, picture []byte,
	err error) {
	screen := emulation.SetDeviceMetricsOverrideParams{Width: width, Height: 900, DeviceScaleFactor: 1,
		Mobile: width < 500}
	if _, err = chromedp.Call(ctx, emulation.SetDeviceMetricsOverride, screen); err != nil {
		return m, nil, err
	}
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme",
		Value: scheme}}}
	if _, err = chromedp.Call(ctx, emulation.SetEmulatedMedia, media); err != nil {
		return m, nil, err
	}
	err = chromedp.Do(ctx, chromedp.Navigate(url))
	if err == nil && open {
		err = chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void]("document.querySelectorAll('details').forEach(d => "+
			"d.open = true)"))
	}
	if err != nil {
		return m, nil, err
	}
	if m, err = chromedp.Run(ctx, chromedp.Evaluate[measured](measures)); err != nil {
		return m, nil, err
	}
	picture, err = chromedp.Run(ctx, chromedp.FullScreenshot(100))
	return m, picture, err
}

func (m measured) judge(t *testing.T, withoutDiagrams bool) {
	if m.Texts < 60 || m.SVG < 20 && !withoutDiagrams {
		t.Errorf("only %d texts and %d in the diagrams", m.Texts, m.SVG)
	}
	if m.Page > m.Window {
		t.Errorf("the page is %d wide in a window of %d", m.Page, m.Window)
	}
	for what, list := range map[string][]string{"too faint": append(m.Faint, m.FaintSVG...), "too small": m.Small,
		"beyond the window": m.Wide} {
		if len(list) > 0 {
			t.Errorf("%s: %q", what, list[:min(8, len(list))])
		}
	}
}

// judgePicture checks what was drawn: its size, a light or dark ground, and
// the colours of what was added and removed.
func judgePicture(t *testing.T, picture []byte, width int, scheme string) {
	img, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		t.Fatal(err)
	}
	if img.Bounds().Dx() != width || img.Bounds().Dy() < 900 {
		t.Errorf("the picture is %v", img.Bounds())
	}
	count := colourCount(img)
	want := map[string][3]uint8{"ground": {0xf6, 0xf7, 0xf9}, "added": {0xc9, 0xef, 0xd2},
		"changed": {0xff, 0xe9, 0xb3}}
	if scheme == "dark" {
		want = map[string][3]uint8{"ground": {0x12, 0x16, 0x1d}, "added": {0x17, 0x50, 0x2b},
			"changed": {0x5b, 0x45, 0x08}}
	}
	total := img.Bounds().Dx() * img.Bounds().Dy()
	if share := float64(count[want["ground"]]) / float64(total); share < 0.1 {
		t.Errorf("the ground fills %.0f %% of the picture", 100*share)
	}
	for _, what := range []string{"added", "changed"} {
		if count[want[what]] < 200 {
			t.Errorf("%d pixels say what was %s", count[want[what]], what)
		}
	}
}

func colourCount(img image.Image) map[[3]uint8]int {
	count := map[[3]uint8]int{}
	b := img.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			r, g, bl, _ := img.At(x, y).RGBA()
			count[[3]uint8{uint8(r >> 8), uint8(g >> 8), uint8(bl >> 8)}]++
		}
	}
	return count
}
