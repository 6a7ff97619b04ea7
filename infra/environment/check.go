package environment

import (
	"fmt"
	"math"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"
)

func matches(pattern, form string) func(any) string {
	re := regexp.MustCompile(pattern)
	return func(v any) string {
		if re.MatchString(v.(string)) {
			return ""
		}
		return fmt.Sprintf("%q is not %s", v, form)
	}
}

func oneOf(values ...string) func(any) string {
	return func(v any) string {
		if slices.Contains(values, v.(string)) {
			return ""
		}
		return fmt.Sprintf("%q is none of %s%s", v, strings.Join(values, ", "), didYouMean(v.(string), values))
	}
}

func between(low, high int) func(any) string {
	return func(v any) string {
		if n := v.(int); n < low || n > high {
			return fmt.Sprintf("%d is not between %d and %d", n, low, high)
		}
		return ""
	}
}

// each checks a list's entries, their number, and that none is there twice.
func each(check func(any) string, least, most int) func(any) string {
	return func(v any) string {
		list := v.([]string)
		if len(list) < least || len(list) > most {
			return fmt.Sprintf("a list of %d, not of %d to %d", len(list), least, most)
		}
		for i, entry := range list {
			if reason := check(entry); reason != "" {
				return fmt.Sprintf("entry %d: %s", i+1, reason)
			}
			if slices.Contains(list[:i], entry) {
				return fmt.Sprintf("%q is there twice", entry)
			}
		}
		return ""
	}
}

var (
	accountNumber = matches(`^\d{12}$`, "12 digits")
	regionName    = matches(`^[a-z]{2}(-[a-z]+)+-\d$`, "a region such as eu-central-1")
	emailAddress  = matches(`^[^@\s]+@[^@\s]+\.[^@\s]+$`, "an e-mail address")
)

func id(kind string) func(any) string {
	return matches(`^`+kind+`-[0-9a-f]{8,17}$`, "an id such as "+kind+"-0123456789abcdef0")
}

// A secret's name may end like the six characters that AWS appends, so that the
// check can only demand that something of their form is there.
var secretArn = matches(`^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[A-Za-z0-9/_+=.@!-]+-[A-Za-z0-9]{6}$`,
	"the whole ARN of a secret, as `aws secretsmanager describe-secret` prints it")

var hostName = matches(`^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$`, "a host name or an address, without port")

// otherEndpoints are parts of RDS's names for what does not lead to the writer, or
// not with a session of one's own: locks and settings of a session are lost in a proxy.
var otherEndpoints = []struct{ part, is string }{
	{".proxy-", "an RDS Proxy, in which a session is shared"},
	{".cluster-ro-", "the reader endpoint of a cluster"},
	{".cluster-custom-", "a custom endpoint of a cluster, which may lead to a reader"},
}

func writerHost(v any) string {
	if reason := hostName(v); reason != "" {
		return reason
	}
	host := strings.ToLower(v.(string))
	if !strings.Contains(host, ".rds.") {
		return ""
	}
	for _, other := range otherEndpoints {
		if strings.Contains(host, other.part) {
			return fmt.Sprintf("%q is %s; name the writer's, as in name.cluster-….rds.amazonaws.com", v, other.is)
		}
	}
	return ""
}

func endpoint(v any) string {
	s := v.(string)
	if s == EndpointCreate || s == EndpointNone || id("sg")(s) == "" {
		return ""
	}
	return fmt.Sprintf("%q is neither %q, %q, nor a security group (sg-…)%s", s, EndpointCreate, EndpointNone,
		didYouMean(s, []string{EndpointCreate, EndpointNone}))
}

// privateRange leaves out what AWS refuses, and ranges too small to be cut into sixteen.
func privateRange(v any) string {
	p, err := netip.ParsePrefix(v.(string))
	switch {
	case err != nil || !p.Addr().Is4():
		return fmt.Sprintf("%q is not a range of addresses such as 10.0.0.0/16", v)
	case p != p.Masked():
		return fmt.Sprintf("%q does not start at the range's first address, %s", v, p.Masked())
	case p.Bits() < 16 || p.Bits() > 24:
		return fmt.Sprintf("%q is not between /16 and /24", v)
	case !p.Addr().IsPrivate():
		return fmt.Sprintf("%q is not a private range (10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16)", v)
	}
	return ""
}

// capacity: Aurora counts in halves, up to 256.
func capacity(least float64) func(any) string {
	return func(v any) string {
		n := v.(float64)
		if n < least || n > 256 || n*2 != math.Trunc(n*2) {
			return fmt.Sprintf("%v is not between %v and 256 in steps of 0.5", n, least)
		}
		return ""
	}
}

// The framework that calls the function has Lambda's longest time, 15 minutes,
// and must outlive it.
const (
	shortestRun = time.Minute
	longestRun  = 14 * time.Minute
)

func runTime(v any) string {
	switch d := v.(time.Duration); {
	case d < shortestRun:
		return fmt.Sprintf("%v is less than %v", d, shortestRun)
	case d > longestRun:
		return fmt.Sprintf("%v is more than %v, and Lambda ends at 15: run longer migrations with the same image in "+
			"ECS Fargate or CodeBuild (`slipway migrate`)", d, longestRun)
	case d%time.Second != 0:
		return fmt.Sprintf("%v is not in whole seconds", d)
	}
	return ""
}

func lockTime(v any) string {
	if d := v.(time.Duration); d < 100*time.Millisecond || d > 10*time.Minute {
		return fmt.Sprintf("%v is not between 100ms and 10m", d)
	}
	return ""
}

var retentions = []int{
	1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

func retention(v any) string {
	if slices.Contains(retentions, v.(int)) {
		return ""
	}
	return fmt.Sprintf("%d is none of CloudWatch's steps: %s", v, strings.Trim(fmt.Sprint(retentions), "[]"))
}

// names checks the names and values of a map, in the order of the names.
func names(check func(name, value string) string) func(any) string {
	return func(v any) string {
		m := v.(map[string]string)
		var reasons []string
		for _, name := range sorted(m) {
			if reason := check(name, m[name]); reason != "" {
				reasons = append(reasons, fmt.Sprintf("%q: %s", name, reason))
			}
		}
		return strings.Join(reasons, "; ")
	}
}

var placeholder = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// Flyway makes names that come from the environment lower case, so that others could never be found.
func placeholderName(name, value string) string {
	switch {
	case !placeholder.MatchString(name):
		return "a placeholder's name is a small letter, then small letters, digits and _"
	case strings.ContainsAny(value, "\x00\n\r"):
		return "a placeholder's value is one line"
	}
	return ""
}

func tagName(name, value string) string {
	switch {
	case name == "" || len(name) > 128 || len(value) > 256:
		return "a tag has a name of 1 to 128 and a value of at most 256 characters"
	case strings.HasPrefix(strings.ToLower(name), "aws:"):
		return "names that begin with aws: belong to AWS"
	}
	return ""
}
