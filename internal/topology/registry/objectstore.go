package registry

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"regexp"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/service"
)

// S3Group is the group of the settings of an object store, below storage.
const S3Group = "storage.s3"

// Variables of the object store that others refer to. The registry speaks to it
// through Amazon's library, which reads those without the vendor's prefix.
const (
	bucketVariable   = "ANKA_BACKEND_S3_BUCKET"
	endpointVariable = "AWS_ENDPOINT_URL"
	keyIDVariable    = "AWS_ACCESS_KEY_ID"
	secretVariable   = "AWS_SECRET_ACCESS_KEY"
)

// defaultBucket is the vendor's.
const defaultBucket = "anka-registry"

var objectStore = service.Table{
	{
		Group: S3Group, Attribute: "bucket", Env: bucketVariable, Kind: service.KindText, Default: defaultBucket,
		Description: "Name of the bucket, which has to exist. Default `" + defaultBucket + "`. Deployments of different names need different buckets.",
	}, {
		Group: S3Group, Attribute: "endpoint", Env: endpointVariable, Kind: service.KindURL,
		Description: "URL of an object store other than Amazon's, such as `https://minio.example.com:9000`. " +
			"It becomes `AWS_ENDPOINT_URL`, as Amazon's library, through which the registry speaks to it, reads it.",
	}, {
		Group: S3Group, Attribute: "region", Env: "AWS_REGION", Kind: service.KindText,
		Description: "Region of the bucket, such as `eu-central-1`. Most other object stores take any, and yet need one. It becomes `AWS_REGION`.",
	}, {
		Group: S3Group, Attribute: "access_key_id", Env: keyIDVariable, Kind: service.KindText, Needs: []string{secretVariable},
		Description: "Name of the access key (`AWS_ACCESS_KEY_ID`). Without one the registry uses the role of the instance that its host is, where there is one.",
	}, {
		Group: S3Group, Attribute: "secret_access_key", Env: secretVariable, Kind: service.KindText, Secret: true, Needs: []string{keyIDVariable},
		Description: "The access key itself (`AWS_SECRET_ACCESS_KEY`).",
	}, {
		Group: S3Group, Attribute: "path_style", Env: "ANKA_BACKEND_S3_USE_PATH_STYLE", Kind: service.KindBool, Default: "false",
		Description: "Whether the bucket is named in the path of URLs instead of in the host name, as most object stores other than Amazon's need it. Default `false`.",
	}, {
		Group: S3Group, Attribute: "skip_tls_verification", Env: "ANKA_BACKEND_S3_SKIP_TLS_VERIFICATION", Kind: service.KindBool, Default: "false",
		Description: "Whether any certificate of the object store is trusted. Anyone in between can then read along. Default `false`.",
	}, {
		Group: S3Group, Attribute: "upload_concurrency", Env: "ANKA_BACKEND_S3_UPLOAD_CONCURRENCY", Kind: service.KindInt, Range: service.Positive, Default: "2",
		Description: "How many parts of one layer are uploaded at once. Each takes `upload_part_size` of memory. Default `2`.",
	}, {
		Group: S3Group, Attribute: "upload_part_size", Env: "ANKA_BACKEND_S3_UPLOAD_PART_SIZE", Kind: service.KindSize, Unit: 1,
		Range: &service.Range{Min: 5 << 20, Max: 500 << 20}, Default: "20MB",
		Description: "Size of the parts that a layer is uploaded in, from `\"5MB\"` to `\"500MB\"`. A layer has at most 10,000 parts, so with the default `\"20MB\"` it is limited to some 200 GB.",
	}, {
		Group: S3Group, Attribute: "download_buffer_size", Env: "ANKA_BACKEND_S3_DOWNLOAD_BUFFER_SIZE", Kind: service.KindSize, Unit: 1,
		Range: &service.Range{Min: 4 << 10, Max: 1 << 30}, Default: "2MB",
		Description: "How much of a layer is read ahead for a download, at least `\"4KB\"`. Default `\"2MB\"`.",
	}, {
		Group: S3Group, Attribute: "abort_incomplete_uploads_days", Env: "ANKA_BACKEND_S3_ABORT_INCOMPLETE_MULTIPART_UPLOAD_DAYS", Kind: service.KindInt, Range: service.NotNegative, Default: "1",
		Description: "After how many days the object store removes what is left of uploads that broke off: a lifecycle rule of the bucket. `0` sets no rule and removes one that is there. Default `1`.",
	}, {
		Group: S3Group, Attribute: "log_requests", Env: "ANKA_BACKEND_S3_LOG_REQUESTS", Kind: service.KindBool, Default: "false",
		Description: "Whether every request to the object store is logged. Default `false`.",
	},
}

// bucketName is what all object stores allow.
var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// CheckBucket judges the name of a bucket.
func CheckBucket(name string) error {
	if !bucketName.MatchString(name) {
		return fmt.Errorf("%q is not the name of a bucket: 3 to 63 lower-case letters, digits, dots and hyphens, with a letter or digit at both ends", name)
	}
	if _, err := netip.ParseAddr(name); err == nil {
		return errors.New("the name of a bucket cannot be an IP address")
	}
	return nil
}

// store names the bucket in words.
func store(values service.Values) string {
	bucket := cmp.Or(values[bucketVariable], defaultBucket)
	if endpoint := values[endpointVariable]; endpoint != "" {
		return fmt.Sprintf("bucket %s at %s", bucket, endpoint)
	}
	return "bucket " + bucket
}

// storeKnown reports whether it is known which bucket is meant.
func storeKnown(values service.Values) bool {
	return values[bucketVariable] != service.Unknown && values[endpointVariable] != service.Unknown
}
