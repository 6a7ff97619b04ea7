package main

import (
	"os"
	"strconv"
	"strings"
	"time"
)

// watchMemory looks at the memory of a process and its descendants until the
// answer is called for: the highest sum of their resident sets, shared pages
// counted for each (which is to everybody's disadvantage alike), in bytes.
func watchMemory(pid int, every time.Duration) func() int64 {
	quit, answer := make(chan struct{}), make(chan int64)
	go func() {
		var peak int64
		t := time.NewTicker(every)
		defer t.Stop()
		for {
			now, alone := tree(pid)
			peak = max(peak, now, alone)
			select {
			case <-t.C:
			case <-quit:
				answer <- peak
				return
			}
		}
	}()
	return func() int64 { close(quit); return <-answer }
}

// tree is the sum of what processes hold now, and the most that one of them ever held.
func tree(pid int) (now, most int64) {
	folder := "/proc/" + strconv.Itoa(pid)
	status, err := os.ReadFile(folder + "/status")
	if err != nil {
		return 0, 0
	}
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		if name != "VmRSS" && name != "VmHWM" {
			continue
		}
		kilobytes, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 10, 64)
		if name == "VmRSS" {
			now = kilobytes * 1024
		} else {
			most = kilobytes * 1024
		}
	}
	threads, _ := os.ReadDir(folder + "/task")
	for _, thread := range threads {
		children, _ := os.ReadFile(folder + "/task/" + thread.Name() + "/children")
		for child := range strings.FieldsSeq(string(children)) {
			if id, err := strconv.Atoi(child); err == nil {
				n, m := tree(id)
				now, most = now+n, max(most, m)
			}
		}
	}
	return now, most
}
