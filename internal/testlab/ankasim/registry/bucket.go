package registry

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/settings"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/wire"
)

// bucketTimeout bounds a request that carries no layer.
const bucketTimeout = 20 * time.Second

// bucket are files in an object store, called by their path below base.
type bucket struct {
	client   *s3.Client
	transfer *transfermanager.Client
	name     string
	base     string
}

// openBucket reads region, endpoint and credentials from the process's
// environment, as the library that the real registry is built with does. A
// bucket that cannot be used is an error: the registry ends.
func openBucket(ctx context.Context, s settings.Registry) (*bucket, error) {
	loaded, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot use the object store: %w", err)
	}
	client := s3.NewFromConfig(loaded, func(o *s3.Options) {
		o.UsePathStyle = s.S3.PathStyle
		// Of stores other than Amazon's not all know the checksums.
		o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
		o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
		if s.S3.SkipTLSVerification {
			transport := http.DefaultTransport.(*http.Transport).Clone()
			transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
			o.HTTPClient = &http.Client{Transport: transport}
		}
	})
	b := &bucket{client: client, name: s.S3.Bucket, base: s.BaseDir}
	b.transfer = transfermanager.New(client, func(o *transfermanager.Options) {
		o.PartSizeBytes, o.Concurrency = s.S3.PartSize, s.S3.Concurrency
		o.MultipartUploadThreshold = s.S3.PartSize
		o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
	})
	return b, b.ready(ctx)
}

// key is a path as the store calls it.
func (b *bucket) key(path string) *string {
	below, err := filepath.Rel(b.base, path)
	if err != nil {
		below = path
	}
	return aws.String(filepath.ToSlash(below))
}

func (b *bucket) put(path string, data io.Reader) (int64, error) {
	counted := &counter{Reader: data}
	_, err := b.transfer.UploadObject(context.Background(), &transfermanager.UploadObjectInput{Bucket: &b.name, Key: b.key(path), Body: counted})
	return counted.size, err
}

type counter struct {
	io.Reader
	size int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.size += int64(n)
	return n, err
}

// open reads all of it: layers of tests are small.
func (b *bucket) open(path string) (content, error) {
	object, err := b.client.GetObject(context.Background(), &s3.GetObjectInput{Bucket: &b.name, Key: b.key(path)})
	if err != nil {
		return nil, missing(err)
	}
	data, err := io.ReadAll(object.Body)
	if err = errors.Join(err, object.Body.Close()); err != nil {
		return nil, err
	}
	return whole{bytes.NewReader(data)}, nil
}

type whole struct{ *bytes.Reader }

func (whole) Close() error { return nil }

func (b *bucket) size(path string) (int64, error) {
	ctx, cancel := context.WithTimeout(context.Background(), bucketTimeout)
	defer cancel()
	head, err := b.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &b.name, Key: b.key(path)})
	if err != nil {
		return 0, missing(err)
	}
	return aws.ToInt64(head.ContentLength), nil
}

func (b *bucket) names(dir string) ([]string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), bucketTimeout)
	defer cancel()
	prefix := *b.key(dir) + "/"
	pages := s3.NewListObjectsV2Paginator(b.client, &s3.ListObjectsV2Input{Bucket: &b.name, Prefix: &prefix, Delimiter: aws.String("/")})
	var names []string
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, object := range page.Contents {
			names = append(names, strings.TrimPrefix(aws.ToString(object.Key), prefix))
		}
		for _, below := range page.CommonPrefixes {
			names = append(names, strings.TrimSuffix(strings.TrimPrefix(aws.ToString(below.Prefix), prefix), "/"))
		}
	}
	return names, nil
}

func (b *bucket) remove(path string) error {
	below, err := b.names(path)
	if err != nil {
		return err
	}
	for _, name := range below {
		if err := b.remove(filepath.Join(path, name)); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), bucketTimeout)
	defer cancel()
	_, err = b.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b.name, Key: b.key(path)})
	if errors.Is(missing(err), errNotFound) {
		return nil
	}
	return err
}

func (b *bucket) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, bucketTimeout)
	defer cancel()
	if _, err := b.client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &b.name}); err != nil {
		return fmt.Errorf("cannot use the bucket %s: %w", b.name, err)
	}
	return nil
}

// disk: an object store tells no size.
func (b *bucket) disk() (wire.Disk, error) { return wire.Disk{}, nil }

func missing(err error) error {
	var noKey *types.NoSuchKey
	var notFound *types.NotFound
	if errors.As(err, &noKey) || errors.As(err, &notFound) {
		return errNotFound
	}
	return err
}
