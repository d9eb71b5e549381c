package settings

import (
	"maps"
	"slices"
	"strings"
)

// common are the variables that both references list, without ANKA_.
var common = map[string]kind{
	"LISTEN_ADDR": address, "GRACEFUL_SHUTDOWN_TIMEOUT": duration,

	"V": whole(0, 10), "VMODULE": modules, "LOG_DIR": text, "ENABLE_CENTRAL_LOGGING": flag,
	"LOG_MAX_DAYS": count, "CMD_LOG_MAX_DAYS": count, "ERROR_LOG_MAX_DAYS": count, "INFO_LOG_MAX_DAYS": count,
	"LOG_MAX_MB": count, "CMD_LOG_MAX_MB": count, "ERROR_LOG_MAX_MB": count, "INFO_LOG_MAX_MB": count,

	"USE_HTTPS": flag, "SERVER_CERT": text, "SERVER_KEY": text, "SKIP_TLS_VERIFICATION": flag,
	"MIN_TLS_VERSION": tlsVersion, "MAX_TLS_VERSION": tlsVersion, "CIPHER_SUITES": listOf(cipherSuite),

	"ENABLE_AUTH": flag, "ROOT_TOKEN": text, "CA_CERT": text, "ROOT_CERT": text, "CRL": text,
	"ENABLE_API_KEYS": flag, "API_KEYS_SESSION_TTL": duration, "API_KEYS_CLEANING_INTERVAL": duration,
	"ENABLE_RESOURCE_MANAGEMENT": flag, "ENABLE_INGRESS_NGINX": flag,
	"OIDC_CLIENT_ID": text, "OIDC_CLIENT_SECRET": text, "OIDC_DISPLAY_NAME": text, "OIDC_PROVIDER_URL": webURL,
	"OIDC_SCOPES": text, "OIDC_USERNAME_CLAIM": text, "OIDC_GROUPS_CLAIM": text, "OIDC_USER_INFO": flag,

	"ENABLE_METRICS": flag, "METRICS_PATH": absolutePath, "METRICS_PORT": port,
}

var tlsVersion = oneOf("tls_1.0", "tls_1.1", "tls_1.2", "tls_1.3")

// onlyController are the variables that only the controller's reference lists.
// The addresses of registries are text, because a controller with a wrong one
// starts and reports the registry as failed.
var onlyController = map[string]kind{
	"ANKA_REGISTRY": text, "LOCAL_ANKA_REGISTRY": text, "PUSH_REGISTRY": listOf(webURL), "ALLOW_EMPTY_REGISTRY": flag,
	"ETCD_ENDPOINTS": text, "CLEAN_MAC_ADDRESS_INTERVAL": duration, "FILL_MAC_ADDRESS_RANGE_INTERVAL": duration,
	"MANAGE_MAC_ADDRESSES": flag, "MAC_ADDR_RANGE": macRange, "MAC_ADDR_RANGE_MAX_RETRIES": count,
	"DEFRAG_DB_INTERVAL": duration, "INSTANCE_TIME_OUT": duration, "NUM_WORKERS": count, "NO_NODE_UPGRADES": flag,
	"ALLOW_CORS": flag, "VRAMTHRESHOLD": fraction, "STANDALONE": flag,

	"ENABLE_EVENT_LOGGING": flag, "EVENT_LOG_URL": webURL, "ENABLE_CONTROLLER_AUTHORIZATION": flag,

	"USE_ETCD_TLS": flag, "ETCD_CA_CERT": text, "ETCD_CERT": text, "ETCD_CERT_KEY": text,
	"SKIP_ETCD_TLS_VERIFICATION": flag, "USE_ETCD_LOGIN": flag, "ETCD_USERNAME": text, "ETCD_PASSWORD": text,
	"ETCD_REQUEST_TIMEOUT": duration,

	"QUEUE_ADDR": address, "USE_QUEUE_TLS": flag, "ENABLE_QUEUE_AUTH": flag, "QUEUE_SERVER_CERT": text,
	"QUEUE_SERVER_KEY": text, "QUEUE_CA_CERT": text, "QUEUE_CRL": text, "CLEAN_QUEUES_INTERVAL": duration,

	"BATCH_TASK_COUNT": whole(1, 40), "DIAL_TIMEOUT": duration, "REQUEST_TIMEOUT": duration,
	"TLS_HANDSHAKE_TIMEOUT": duration, "INSTANCE_ACTIVE_TIMEOUT": duration, "NODE_ACTIVE_TIMEOUT": duration,
	"MAX_IDLE_CONNECTION_PER_HOST": count, "NUM_HTTP_RETRIES": count, "QUERY_TASK_TIMEOUT": duration,
	"RESERVE_TASK_TIMEOUT": duration, "SCHEDULER_INTERVAL": duration, "UNKNOWN_VM_THRESHOLD": count,

	// Of the built-in etcd and registry, which the stand-in does not have.
	"ADVERTISE_CLIENT_URLS": text, "AUTO_COMPACTION_MODE": text, "AUTO_COMPACTION_RETENTION": text, "DATA_DIR": text,
	"INITIAL_ADVERTISE_PEER_URLS": text, "INITIAL_CLUSTER": text, "INITIAL_CLUSTER_STATE": text,
	"INITIAL_CLUSTER_TOKEN": text, "LISTEN_CLIENT_URLS": text, "LISTEN_PEER_URLS": text, "NAME": text,
	"QUEUE_ETCD_ENDPOINTS": text, "RUN_REGISTRY": flag, "ENABLE_REGISTRY_AUTHORIZATION": flag,
	"REGISTRY_ACCESS_LOGS": flag, "REGISTRY_BASE_PATH": text, "REGISTRY_LISTEN_ADDRESS": text,
	"REGISTRY_VM_LIST_CACHE_TTL": duration,
}

// onlyRegistry are the variables that only the registry's reference lists.
var onlyRegistry = map[string]kind{
	"BASE_PATH": text, "IMAGE_DIR_PATH": text, "STATE_FILE_DIR_PATH": text, "VM_DIR_PATH": text,
	"VM_LIST_CACHE_TTL": duration, "VM_LIST_CONCURRENCY": count,

	"ACCESS_LOGS": flag, "FILES_DIR": text, "LOGS_DIR": text, "KEEP_LOGS_FOR": count, "LOG_SERVER_ADDR": text,
	"LOG_SERVER_BACKEND_TYPE": oneOf("disk"), "MAX_LOG_SIZE": count,
	"ROTATE_LOG_FILES_AT_MAX_FILE_SIZE": flag, "ROTATE_LOG_FILES_END_OF_DAY": flag,

	"ENABLE_AUTHORIZATION": flag,

	"BACKEND_TYPE": oneOf("disk", "s3"), "BACKEND_S3_BUCKET": text,
	"BACKEND_S3_ABORT_INCOMPLETE_MULTIPART_UPLOAD_DAYS": count, "BACKEND_S3_DOWNLOAD_BUFFER_SIZE": whole(4096, 1<<31-1),
	"BACKEND_S3_LOG_REQUESTS": flag, "BACKEND_S3_SKIP_TLS_VERIFICATION": flag,
	"BACKEND_S3_UPLOAD_CONCURRENCY": whole(1, 1<<31-1), "BACKEND_S3_UPLOAD_PART_SIZE": whole(5<<20, 500<<20),
	"BACKEND_S3_USE_PATH_STYLE": flag,
}

// check rejects every value of an ANKA_* variable that is not of the kind the
// reference says, and returns the names that no reference has, sorted. Empty
// values count as unset.
func (r *reader) check(references ...map[string]kind) (unknown []string) {
	for _, name := range slices.Sorted(maps.Keys(r.env)) {
		short, found := strings.CutPrefix(name, ankaPrefix)
		if !found {
			continue
		}
		var of kind
		for _, reference := range references {
			if k, has := reference[short]; has {
				of = k
			}
		}
		switch value := r.env[name]; {
		case of == nil:
			unknown = append(unknown, name)
		case value != "":
			if err := of(value); err != nil {
				r.reject(name, "%w", err)
			}
		}
	}
	return unknown
}
