package testlab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/images"
)

// Lab is a running lab.
type Lab struct {
	Name string
	// Subnet is its IPv4 /24; Gateway is this machine's address in it.
	Subnet, Gateway string
	Hosts           []*Host

	options Options
	owner   Process
	sw      *first
	// mu guards kept, every host's first process, and the state file that is written from them.
	mu   sync.Mutex
	kept bool
}

// Up makes a lab and returns when every daemon on every host answers. It removes what a crashed predecessor left. The
// lab ends with this process unless Options.Detached; call Down to end it in order.
// Errors: not root, missing programs that cannot be installed here, a running lab of the same name, no free subnet, or
// what a host's log says; nothing of a failed lab stays.
func Up(ctx context.Context, options Options) (*Lab, error) {
	options, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	for _, name := range options.Images {
		if err := images.Check(name); err != nil {
			return nil, err
		}
	}
	if err := Prerequisites(ctx); err != nil {
		return nil, err
	}
	unlock, err := lock(ctx, "lab-"+options.Name)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if options.Reuse {
		lab, err := reuse(ctx, options)
		if lab != nil || err != nil {
			return lab, err
		}
	}
	if found, err := loadState(options.Name); err == nil && found.running() {
		return nil, fmt.Errorf("lab %q is running already (process %d): take it down first or choose another name", options.Name, found.Owner.PID)
	}
	if err := Sweep(ctx, options.Log); err != nil {
		return nil, err
	}
	if err := sweepLab(ctx, options.Name); err != nil {
		return nil, err
	}
	lab, err := create(ctx, options)
	if err != nil {
		cleanup, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		return nil, errors.Join(err, sweepLab(cleanup, options.Name))
	}
	return lab, nil
}

// create makes a lab where nothing is.
func create(ctx context.Context, options Options) (*Lab, error) {
	began := time.Now()
	self, err := processOf(os.Getpid())
	if err != nil {
		return nil, err
	}
	lab := &Lab{Name: options.Name, options: options, owner: self}
	if err := lab.allocate(ctx); err != nil {
		return nil, err
	}
	if err := writeCredentials(lab.state()); err != nil {
		return nil, fmt.Errorf("lab %s: write keys and certificates: %w", lab.Name, err)
	}
	if err := os.WriteFile(lab.dir("switch.sh"), []byte(switchScript), 0o755); err != nil {
		return nil, err
	}
	if lab.sw, err = startFirst(ctx, lab.dir("switch.sh"), syscall.CLONE_NEWNET); err != nil {
		return nil, fmt.Errorf("lab %s: start the switch: %w", lab.Name, err)
	}
	if err := lab.save(); err != nil {
		return nil, err
	}
	if err := lab.connectMachine(ctx); err != nil {
		return nil, fmt.Errorf("lab %s: connect this machine to the switch: %w", lab.Name, err)
	}
	archives := make(chan []images.Archive, 1)
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() error {
		built, err := buildImages(groupCtx, options)
		archives <- built
		return err
	})
	for _, host := range lab.Hosts {
		group.Go(func() error {
			host.mu.Lock()
			defer host.mu.Unlock()
			if err := host.makeDisk(groupCtx, options.DiskMiB); err != nil {
				return err
			}
			return host.boot(groupCtx)
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	options.Log("%d hosts run after %s", len(lab.Hosts), time.Since(began).Round(time.Millisecond))
	if err := lab.load(ctx, <-archives); err != nil {
		return nil, err
	}
	if err := lab.writeClientFiles(); err != nil {
		return nil, err
	}
	if options.Detached {
		if err := lab.keep(); err != nil {
			return nil, err
		}
	}
	if err := lab.save(); err != nil {
		return nil, err
	}
	options.Log("lab %s is up after %s", lab.Name, time.Since(began).Round(time.Millisecond))
	return lab, nil
}

// allocate chooses the subnet and reserves it by writing the state file. Labs allocate one after the other.
func (l *Lab) allocate(ctx context.Context) error {
	unlock, err := lock(ctx, "allocate")
	if err != nil {
		return err
	}
	defer unlock()
	subnet, err := chooseSubnet(l.options.Subnet)
	if err != nil {
		return err
	}
	l.Subnet, l.Gateway = subnet.String(), addressAt(subnet, 1).String()
	for i := range l.options.Hosts {
		l.Hosts = append(l.Hosts, &Host{
			Name: "h" + strconv.Itoa(i+1), Address: addressAt(subnet, firstHostOctet+i).String(), lab: l,
		})
	}
	if err := os.MkdirAll(stateDir(l.Name), 0o755); err != nil {
		return err
	}
	return l.save()
}

// chooseSubnet returns the wanted subnet, or the first of 10.77.0.0/16 that neither this machine nor another lab uses.
func chooseSubnet(wanted string) (netip.Prefix, error) {
	taken, err := takenSubnets()
	if err != nil {
		return netip.Prefix{}, err
	}
	free := func(candidate netip.Prefix) error {
		for _, other := range taken {
			if other.Overlaps(candidate) {
				return fmt.Errorf("subnet %s overlaps %s, which this machine or another lab uses: choose another", candidate, other)
			}
		}
		return nil
	}
	if wanted != "" {
		subnet, err := netip.ParsePrefix(wanted)
		if err != nil {
			return subnet, err
		}
		return subnet, free(subnet)
	}
	for third := range 256 {
		candidate := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 77, byte(third), 0}), 24)
		if free(candidate) == nil {
			return candidate, nil
		}
	}
	return netip.Prefix{}, errors.New("no free /24 in 10.77.0.0/16: choose a subnet")
}

func takenSubnets() ([]netip.Prefix, error) {
	var taken []netip.Prefix
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return nil, fmt.Errorf("list this machine's addresses: %w", err)
	}
	for _, address := range addresses {
		if prefix, err := netip.ParsePrefix(address.String()); err == nil {
			taken = append(taken, prefix.Masked())
		}
	}
	names, err := Names()
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		found, err := loadState(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if prefix, err := netip.ParsePrefix(found.Subnet); err == nil {
			taken = append(taken, prefix)
		}
	}
	return taken, nil
}

// connectMachine gives this machine an address on the switch.
func (l *Lab) connectMachine(ctx context.Context) error {
	link := linkOf(l.Name)
	batch := fmt.Sprintf("link add %[1]s type veth peer name machine netns %[2]d\naddr add %[3]s/24 dev %[1]s\nlink set %[1]s up\n",
		link, l.sw.PID, l.Gateway)
	if _, err := runInput(ctx, batch, "ip", "-batch", "-"); err != nil {
		return err
	}
	_, err := run(ctx, "nsenter", "--target", strconv.Itoa(l.sw.PID), "--net", "ip", "link", "set", "machine", "master", "lab", "up")
	return err
}

// state is what save writes.
func (l *Lab) state() state {
	s := state{Name: l.Name, Subnet: l.Subnet, Owner: l.owner, Detached: l.kept}
	if l.sw != nil {
		s.Switch = l.sw.Process
	}
	for _, host := range l.Hosts {
		saved := hostState{Name: host.Name, Address: host.Address}
		if host.first != nil {
			saved.First = host.first.Process
		}
		s.Hosts = append(s.Hosts, saved)
	}
	return s
}

func (l *Lab) save() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state().save()
}

// keep makes the whole lab outlive this process.
func (l *Lab) keep() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.sw.keep()
	for _, host := range l.Hosts {
		err = errors.Join(err, host.first.keep())
	}
	l.kept = err == nil
	return err
}

// Host returns the host with that name, or nil.
func (l *Lab) Host(name string) *Host {
	for _, host := range l.Hosts {
		if host.Name == name {
			return host
		}
	}
	return nil
}

// dir returns a path in the lab's state directory.
func (l *Lab) dir(file string) string { return filepath.Join(stateDir(l.Name), file) }

// each runs act for all hosts at the same time and returns the first error.
func (l *Lab) each(act func(*Host) error) error {
	var group errgroup.Group
	for _, host := range l.Hosts {
		group.Go(func() error { return act(host) })
	}
	return group.Wait()
}
