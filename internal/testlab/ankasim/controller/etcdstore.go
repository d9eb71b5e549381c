package controller

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/settings"
)

const (
	keyPrefix = "/ankasim/"
	// readyProbe is what one try of a readiness check may take; there is a try
	// per endpoint, as one member that is cut off must not hide the others.
	readyProbe     = time.Second
	connectRetry   = 250 * time.Millisecond
	connectAttempt = 2 * time.Second
	// Pings below 10 s are raised to it by gRPC and refused by etcd below 5 s.
	keepAliveInterval = 10 * time.Second
	keepAliveTimeout  = 3 * time.Second
)

// reconnect bounds how long after its return etcd is noticed; by default the
// pause between tries grows to two minutes.
var reconnect = grpc.ConnectParams{
	Backoff:           backoff.Config{BaseDelay: 200 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 2 * time.Second},
	MinConnectTimeout: 2 * time.Second,
}

// EtcdStore is the Store in an etcd cluster.
type EtcdStore struct {
	client         *clientv3.Client
	requestTimeout time.Duration
	endpoints      int
}

// OpenEtcd connects and proves it by a read. It tries until the request timeout
// is over; credentials or certificates that are wrong end it at once.
func OpenEtcd(ctx context.Context, s settings.Etcd) (*EtcdStore, error) {
	tlsConfig, err := etcdTLS(s)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.RequestTimeout)
	defer cancel()
	retry := time.NewTicker(connectRetry)
	defer retry.Stop()
	for {
		store, err := dialEtcd(ctx, s, tlsConfig)
		if err == nil {
			return store, nil
		}
		if permanent(err) {
			return nil, fmt.Errorf("etcd at %s refused this controller: %w", strings.Join(s.Endpoints, ","), err)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("etcd at %s did not answer within %s (ANKA_ETCD_REQUEST_TIMEOUT): %w",
				strings.Join(s.Endpoints, ","), s.RequestTimeout, err)
		case <-retry.C:
		}
	}
}

func dialEtcd(ctx context.Context, s settings.Etcd, tlsConfig *tls.Config) (*EtcdStore, error) {
	client, err := clientv3.New(clientv3.Config{
		// The deadline of the start must not end the client's own connections.
		Context:              context.WithoutCancel(ctx),
		Endpoints:            s.Endpoints,
		DialTimeout:          min(s.DialTimeout, s.RequestTimeout),
		DialKeepAliveTime:    keepAliveInterval,
		DialKeepAliveTimeout: keepAliveTimeout,
		TLS:                  tlsConfig,
		Username:             s.Username,
		Password:             s.Password,
		Logger:               zap.NewNop(),
		DialOptions:          []grpc.DialOption{grpc.WithConnectParams(reconnect)},
	})
	if err != nil {
		return nil, err
	}
	attempt, cancel := context.WithTimeout(ctx, min(connectAttempt, s.RequestTimeout))
	defer cancel()
	if _, err := client.Get(attempt, keyPrefix, clientv3.WithPrefix(), clientv3.WithCountOnly()); err != nil {
		return nil, errors.Join(err, client.Close())
	}
	return &EtcdStore{client: client, requestTimeout: s.RequestTimeout, endpoints: len(s.Endpoints)}, nil
}

// permanent tells errors that waiting does not cure.
func permanent(err error) bool {
	if errors.Is(err, rpctypes.ErrAuthFailed) || errors.Is(err, rpctypes.ErrPermissionDenied) ||
		errors.Is(err, rpctypes.ErrUserEmpty) {
		return true
	}
	switch status.Code(err) {
	case codes.InvalidArgument, codes.PermissionDenied, codes.Unauthenticated:
		return true
	default:
		return false
	}
}

func etcdTLS(s settings.Etcd) (*tls.Config, error) {
	if !s.TLS {
		return nil, nil
	}
	config := &tls.Config{InsecureSkipVerify: s.SkipTLSVerification}
	if s.CACertPath != "" {
		caPEM, err := os.ReadFile(s.CACertPath)
		if err != nil {
			return nil, fmt.Errorf("cannot load ANKA_ETCD_CA_CERT: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(caPEM) {
			return nil, fmt.Errorf("cannot load ANKA_ETCD_CA_CERT: %s holds no PEM certificate", s.CACertPath)
		}
	}
	if s.CertPath != "" || s.KeyPath != "" {
		pair, err := tls.LoadX509KeyPair(s.CertPath, s.KeyPath)
		if err != nil {
			return nil, fmt.Errorf("cannot load ANKA_ETCD_CERT %s with ANKA_ETCD_CERT_KEY %s: %w", s.CertPath, s.KeyPath, err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

// Close ends the connections.
func (e *EtcdStore) Close() error { return e.client.Close() }

// Ready reads through the cluster, once per endpoint at most.
func (e *EtcdStore) Ready(ctx context.Context) error {
	var errs []error
	for range e.endpoints {
		probe, cancel := context.WithTimeout(ctx, min(readyProbe, e.requestTimeout))
		_, err := e.client.Get(probe, keyPrefix, clientv3.WithPrefix(), clientv3.WithCountOnly())
		cancel()
		if err == nil {
			return nil
		}
		errs = append(errs, err)
	}
	return fmt.Errorf("etcd does not answer: %w", errors.Join(errs...))
}

// List implements Store.
func (e *EtcdStore) List(ctx context.Context, kind Kind) (map[string][]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, e.requestTimeout)
	defer cancel()
	prefix := key(kind, "")
	response, err := e.client.Get(ctx, prefix, clientv3.WithPrefix())
	if err != nil {
		return nil, fmt.Errorf("cannot list %s in etcd: %w", kind, err)
	}
	values := map[string][]byte{}
	for _, pair := range response.Kvs {
		values[strings.TrimPrefix(string(pair.Key), prefix)] = pair.Value
	}
	return values, nil
}

// Get implements Store.
func (e *EtcdStore) Get(ctx context.Context, kind Kind, id string) ([]byte, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, e.requestTimeout)
	defer cancel()
	response, err := e.client.Get(ctx, key(kind, id))
	if err != nil {
		return nil, false, fmt.Errorf("cannot read %s in etcd: %w", kind, err)
	}
	if len(response.Kvs) == 0 {
		return nil, false, nil
	}
	return response.Kvs[0].Value, true, nil
}

// Put implements Store.
func (e *EtcdStore) Put(ctx context.Context, kind Kind, id string, value []byte) error {
	ctx, cancel := context.WithTimeout(ctx, e.requestTimeout)
	defer cancel()
	if _, err := e.client.Put(ctx, key(kind, id), string(value)); err != nil {
		return fmt.Errorf("cannot write %s %s to etcd: %w", kind, id, err)
	}
	return nil
}

// Delete implements Store.
func (e *EtcdStore) Delete(ctx context.Context, kind Kind, id string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, e.requestTimeout)
	defer cancel()
	response, err := e.client.Delete(ctx, key(kind, id))
	if err != nil {
		return false, fmt.Errorf("cannot delete %s %s in etcd: %w", kind, id, err)
	}
	return response.Deleted > 0, nil
}

func key(kind Kind, id string) string { return keyPrefix + string(kind) + "/" + id }
