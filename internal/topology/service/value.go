package service

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// CheckValue judges one value by itself. The error never contains the value of
// a write-only row.
func (s Setting) CheckValue(value string, r Reader) error {
	switch value {
	case Unknown:
		return nil
	case "":
		return errors.New("it is empty: give a value, or leave it out")
	}
	switch s.Kind {
	case KindBool:
		if value != "true" && value != "false" {
			return fmt.Errorf("%s is neither true nor false", s.shown(value))
		}
	case KindInt:
		return s.checkInt(value)
	case KindFloat:
		return s.checkFloat(value)
	case KindText:
		return s.checkText(value)
	case KindPath:
		return s.checkPath(value)
	case KindDuration:
		return s.checkDuration(value)
	case KindEnum:
		return s.checkAllowed(value)
	case KindList, KindLevelList, KindURLList:
		return s.checkList(value)
	case KindURL:
		return s.checkURL(value)
	case KindAddress:
		return s.checkAddress(value)
	case KindMACRange:
		return checkMACRange(value)
	case KindSize:
		return s.checkSize(value)
	case KindCertificate:
		return s.checkCertificates(value, r)
	case KindPrivateKey:
		_, err := parsePrivateKey(value, r)
		return err
	case KindCRL:
		_, err := parseCRLs(value, r)
		return err
	}
	return nil
}

// shown is how a message names a value.
func (s Setting) shown(value string) string {
	if s.WriteOnly() {
		return "the value"
	}
	return strconv.Quote(value)
}

func (s Setting) checkInt(value string) error {
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		return fmt.Errorf("%s is not a whole number", s.shown(value))
	}
	if err := s.within(float64(n), value, strconv.FormatFloat); err != nil {
		return err
	}
	return s.checkPort(int(n))
}

func (s Setting) checkFloat(value string) error {
	n, err := strconv.ParseFloat(value, 64)
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
		return fmt.Errorf("%s is not a number", s.shown(value))
	}
	return s.within(n, value, strconv.FormatFloat)
}

// within checks the range; bound writes its ends.
func (s Setting) within(n float64, value string, bound func(float64, byte, int, int) string) error {
	if s.Range == nil || n >= s.Range.Min && n <= s.Range.Max {
		return nil
	}
	if s.Range.Max >= NotNegative.Max {
		return fmt.Errorf("%s is less than %s", s.shown(value), bound(s.Range.Min, 'f', -1, 64))
	}
	return fmt.Errorf("%s is not between %s and %s", s.shown(value), bound(s.Range.Min, 'f', -1, 64), bound(s.Range.Max, 'f', -1, 64))
}

func (s Setting) checkDuration(value string) error {
	d, err := time.ParseDuration(value)
	if _, number := strconv.ParseFloat(value, 64); err != nil && number == nil {
		return fmt.Errorf("%s has no unit: write \"%ss\" for seconds, or use ms, m or h", s.shown(value), value)
	}
	switch {
	case err != nil:
		return fmt.Errorf("%s is not a duration such as \"15s\", \"1m30s\" or \"2h\"", s.shown(value))
	case d < 0:
		return fmt.Errorf("%s is negative", s.shown(value))
	case s.Range == nil:
		return nil
	}
	return s.within(d.Seconds(), value, func(seconds float64, _ byte, _, _ int) string {
		return time.Duration(seconds * float64(time.Second)).String()
	})
}

// CheckLine refuses what is more than one line, and space that nobody sees: a
// line break at the end of a file's content is part of a password then. The
// error calls the value what, and does not show it otherwise.
func CheckLine(what, value string) error {
	switch {
	case strings.TrimSpace(value) != value:
		return fmt.Errorf("%s begins or ends with white space, such as the line break at the end of a file: use trimspace()", what)
	case strings.ContainsFunc(value, unicode.IsControl):
		return fmt.Errorf("%s contains a line break or another control character", what)
	}
	return nil
}

func (s Setting) checkLine(value string) error { return CheckLine(s.shown(value), value) }

// MinSecret is the length in characters of the shortest secret that a setting
// takes. Errors and logs of services are shown without secrets, and a shorter
// one cannot be taken out of them: it is a part of other words, and hiding it
// wherever it is tells what it is. So it is refused rather than shown.
const MinSecret = 6

func (s Setting) checkText(value string) error {
	if err := s.checkLine(value); err != nil {
		return err
	}
	if n := utf8.RuneCountInString(value); s.Secret && n < MinSecret {
		return fmt.Errorf("it has %d characters, and has to have at least %d, because a shorter secret cannot be kept out of errors and logs: "+
			"choose a longer one", n, MinSecret)
	}
	return nil
}

func (s Setting) checkPath(value string) error {
	if err := s.checkLine(value); err != nil {
		return err
	}
	if !strings.HasPrefix(value, "/") {
		return fmt.Errorf("%s does not begin with a slash", s.shown(value))
	}
	if slices.Contains(strings.Split(value, "/"), "..") {
		return fmt.Errorf("%s contains \"..\"", s.shown(value))
	}
	return nil
}

func (s Setting) checkAllowed(value string) error {
	if len(s.Allowed) == 0 || slices.Contains(s.Allowed, value) {
		return nil
	}
	if near := nearest(strings.ToLower(value), s.Allowed); near != "" {
		return fmt.Errorf("%s is not allowed. Did you mean %q? Allowed are %s", s.shown(value), near, strings.Join(s.Allowed, ", "))
	}
	return fmt.Errorf("%s is not allowed. Allowed are %s", s.shown(value), strings.Join(s.Allowed, ", "))
}

func (s Setting) checkList(value string) error {
	items := strings.Split(value, ",")
	for i, item := range items {
		if slices.Contains(items[:i], item) && item != "" {
			return fmt.Errorf("%s is in the list twice", s.shown(item))
		}
		if err := s.CheckElement(item); err != nil {
			return err
		}
	}
	return nil
}

// CheckElement judges one element of a list before it is joined to the value
// with commas.
func (s Setting) CheckElement(item string) error {
	switch {
	case item == Unknown:
		return nil
	case item == "":
		return errors.New("an element of the list is empty: remove it")
	case strings.Contains(item, ","):
		return fmt.Errorf("%s contains a comma, which separates elements: make it several", s.shown(item))
	case s.Kind == KindURLList:
		return s.checkURL(item)
	case strings.ContainsFunc(item, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }):
		return fmt.Errorf("%s contains white space", s.shown(item))
	case s.Kind == KindLevelList:
		return s.checkLevel(item)
	}
	return s.checkAllowed(item)
}

// checkLevel judges PATTERN=LEVEL. A service that cannot read one does not
// start.
func (s Setting) checkLevel(item string) error {
	pattern, level, found := strings.Cut(item, "=")
	if !found || pattern == "" || strings.Contains(level, "=") {
		return fmt.Errorf("%s is not PATTERN=LEVEL, such as \"upload=5\"", s.shown(item))
	}
	if _, err := path.Match(pattern, ""); err != nil {
		return fmt.Errorf("%s has the pattern %q, of which a bracket is not closed", s.shown(item), pattern)
	}
	n, err := strconv.ParseInt(level, 10, 32)
	if err != nil {
		return fmt.Errorf("%s has the level %q, which is not a whole number", s.shown(item), level)
	}
	return s.within(float64(n), item, strconv.FormatFloat)
}

func (s Setting) checkAddress(value string) error {
	port, err := listenPort(value)
	if err != nil {
		return fmt.Errorf("%s %w", s.shown(value), err)
	}
	return s.checkPort(port)
}

// listenPort is the port of an address to listen on.
func listenPort(address string) (int, error) {
	const want = "is not an address to listen on such as \":8090\" or \"10.0.1.4:8090\""
	colon := strings.LastIndex(address, ":")
	if colon < 0 {
		return 0, errors.New(want)
	}
	port, err := strconv.ParseUint(address[colon+1:], 10, 16)
	if err != nil || port == 0 {
		return 0, errors.New(want + ": the port has to be between 1 and 65535")
	}
	if colon > 0 {
		if _, err := netip.ParseAddrPort(address); err != nil {
			return 0, errors.New(want + ": before the port there has to be an IP address, in brackets when it is IPv6")
		}
	}
	return int(port), nil
}

// checkPort refuses ports that something else has inside the container.
func (s Setting) checkPort(port int) error {
	if slices.Contains(s.Taken, port) {
		return fmt.Errorf("port %d is where the service itself listens inside the container, whatever the port on the host is: choose another", port)
	}
	return nil
}

func checkMACRange(value string) error {
	const want = "is not a range of MAC addresses such as \"02:00:00:00:00:00-02:00:00:00:ff:ff\""
	from, to, found := strings.Cut(value, "-")
	first, okFirst := parseMAC(from)
	last, okLast := parseMAC(to)
	switch {
	case !found || !okFirst || !okLast:
		return fmt.Errorf("%q %s: two addresses of six pairs of hexadecimal digits with colons, separated by a hyphen", value, want)
	case slices.Compare(first, last) > 0:
		return fmt.Errorf("%q is empty, as its first address is higher than its last", value)
	case first[0]&1 != 0 || last[0]&1 != 0 || first[0] != last[0]:
		// An odd first byte is a multicast address (IEEE 802), and between two
		// first bytes there always lies one.
		return fmt.Errorf("%q contains multicast addresses, which no machine can have: both ends have to begin with the same even byte, such as 02", value)
	}
	return nil
}

func parseMAC(text string) ([]byte, bool) {
	var address []byte
	for pair := range strings.SplitSeq(text, ":") {
		b, err := strconv.ParseUint(pair, 16, 8)
		if err != nil || len(pair) != 2 {
			return nil, false
		}
		address = append(address, byte(b))
	}
	return address, len(address) == 6
}

// sizeUnits are powers of 1024, as the services count.
var sizeUnits = []struct {
	suffix string
	bytes  int64
}{{"KB", 1 << 10}, {"MB", 1 << 20}, {"GB", 1 << 30}, {"TB", 1 << 40}, {"B", 1}}

// parseSize is the number of bytes of a size such as 700MB.
func parseSize(value string) (int64, bool) {
	for _, unit := range sizeUnits {
		digits, is := strings.CutSuffix(value, unit.suffix)
		if !is {
			continue
		}
		n, err := strconv.ParseInt(digits, 10, 64)
		return n * unit.bytes, err == nil && n >= 0 && n <= math.MaxInt64/unit.bytes
	}
	return 0, false
}

func (s Setting) checkSize(value string) error {
	bytes, ok := parseSize(value)
	switch {
	case !ok:
		return fmt.Errorf("%s is not a size such as \"700MB\" or \"2GB\": a whole number with B, KB, MB, GB or TB, in steps of 1024", s.shown(value))
	case s.Unit > 1 && bytes%s.Unit != 0:
		return fmt.Errorf("%s is not a multiple of %s, which the service counts in", s.shown(value), sizeText(s.Unit))
	case s.Range != nil && (float64(bytes) < s.Range.Min || float64(bytes) > s.Range.Max):
		return fmt.Errorf("%s is not between %s and %s", s.shown(value), sizeText(int64(s.Range.Min)), sizeText(int64(s.Range.Max)))
	}
	return nil
}

// sizeText writes a number of bytes in the largest unit that divides it.
func sizeText(bytes int64) string {
	text := strconv.FormatInt(bytes, 10) + "B"
	for _, unit := range sizeUnits[:4] {
		if bytes != 0 && bytes%unit.bytes == 0 {
			text = strconv.FormatInt(bytes/unit.bytes, 10) + unit.suffix
		}
	}
	return text
}
