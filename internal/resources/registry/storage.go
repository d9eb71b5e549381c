package registry

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path"
	"regexp"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	tfpath "github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/anka-ha/terraform-provider-anka/internal/tf/diags"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/registry"
)

type storageModel struct {
	Path       types.String `tfsdk:"path"`
	CreatePath types.Bool   `tfsdk:"create_path"`
	Volume     types.String `tfsdk:"volume"`
	NFS        types.Object `tfsdk:"nfs"`
	S3         types.Object `tfsdk:"s3"`
	Shared     types.Bool   `tfsdk:"shared"`
}

type nfsModel struct {
	Server  types.String `tfsdk:"server"`
	Path    types.String `tfsdk:"path"`
	Options types.List   `tfsdk:"options"`
}

// ownPath is the attribute of a replica in the place of storage.path.
const ownPath = "storage_path"

// objectStore is storage.s3, unknown as long as storage is.
func (m *model) objectStore() types.Object {
	if m.Storage.IsUnknown() {
		return types.ObjectUnknown(nil)
	}
	s3, _ := m.Storage.Attributes()["s3"].(types.Object)
	return s3
}

// storage converts where the data is. known is false as long as something that
// says it is not known yet; the storage is then not to be used.
func (m *model) storage(ctx context.Context) (storage registry.Storage, known bool, all diag.Diagnostics) {
	if m.Storage.IsNull() || m.Storage.IsUnknown() {
		return storage, m.Storage.IsNull(), nil
	}
	var s storageModel
	var nfs nfsModel
	all.Append(m.Storage.As(ctx, &s, basetypes.ObjectAsOptions{})...)
	known = !s.Path.IsUnknown() && !s.Volume.IsUnknown() && !s.NFS.IsUnknown() && !s.S3.IsUnknown()
	storage = registry.Storage{
		Path: s.Path.ValueString(), CreatePath: s.CreatePath.ValueBool(), Volume: s.Volume.ValueString(),
		S3: !s.S3.IsNull(), Shared: s.Shared.ValueBool(), Paths: map[string]string{},
	}
	for _, host := range m.Hosts() {
		own := m.ReplicaText(host, ownPath)
		known = known && !own.IsUnknown()
		storage.Paths[host] = own.ValueString()
	}
	if !s.NFS.IsNull() && !s.NFS.IsUnknown() {
		all.Append(s.NFS.As(ctx, &nfs, basetypes.ObjectAsOptions{})...)
		known = known && !nfs.Server.IsUnknown() && !nfs.Path.IsUnknown() && !nfs.Options.IsUnknown()
		storage.NFS = &registry.NFS{Server: nfs.Server.ValueString(), Path: nfs.Path.ValueString()}
		for _, element := range nfs.Options.Elements() {
			known = known && !element.IsUnknown()
			option, _ := element.(types.String)
			storage.NFS.Options = append(storage.NFS.Options, option.ValueString())
		}
	}
	return storage, known, all
}

// checkStorage checks what the attributes of storage say of each other.
func checkStorage(ctx context.Context, m *model) diag.Diagnostics {
	at := tfpath.Root("storage")
	all := m.checkOwnPaths()
	if m.Storage.IsNull() || m.Storage.IsUnknown() {
		return all
	}
	var s storageModel
	all.Append(m.Storage.As(ctx, &s, basetypes.ObjectAsOptions{})...)
	kinds := s.kinds()
	switch {
	case len(kinds) > 1:
		all.AddAttributeError(at.AtName(kinds[1]), "Several kinds of storage",
			fmt.Sprintf("The templates are in one place, and storage has %s. Keep one of them.", strings.Join(kinds, " and ")))
		return all
	case !s.CreatePath.IsNull() && s.Path.IsNull():
		all.AddAttributeError(at.AtName("create_path"), "Nothing to create", "create_path belongs to path, which is not set. Set path, or remove create_path.")
	case s.Shared.ValueBool() && !s.S3.IsNull():
		all.AddAttributeError(at.AtName("shared"), "Bucket is shared by itself", "All replicas use the same bucket, whatever shared says. Remove it.")
	case s.Shared.ValueBool() && s.Path.IsNull() && s.NFS.IsNull():
		all.AddAttributeError(at.AtName("shared"), "Nothing that could be shared",
			"A volume of Docker belongs to one host. Set nfs, or path to where each host has mounted the same file system, or remove shared.")
	}
	all.Append(checkNFS(ctx, m, s)...)
	if storage, _, _ := m.storage(ctx); storage.Common() && !m.Replication.IsNull() {
		all.AddAttributeError(tfpath.Root("replication"), "Nothing to replicate",
			"All replicas have the same data, as storage says, and copying it onto itself can only do harm. Remove replication, or give each replica storage of its own.")
	}
	if bucket, is := s.S3.Attributes()["bucket"].(types.String); is && !bucket.IsNull() && !bucket.IsUnknown() {
		if err := registry.CheckBucket(bucket.ValueString()); err != nil {
			all.AddAttributeError(at.AtName("s3").AtName("bucket"), "Invalid bucket", diags.Sentence(err)+".")
		}
	}
	return all
}

// kinds are the kinds of storage that are given.
func (s storageModel) kinds() []string {
	var kinds []string
	for _, kind := range []struct {
		name  string
		given bool
	}{{"path", !s.Path.IsNull()}, {"volume", !s.Volume.IsNull()}, {"nfs", !s.NFS.IsNull()}, {"s3", !s.S3.IsNull()}} {
		if kind.given {
			kinds = append(kinds, kind.name)
		}
	}
	return kinds
}

// checkOwnPaths refuses paths of single hosts where the data is in no path.
func (m *model) checkOwnPaths() diag.Diagnostics {
	var all diag.Diagnostics
	given, is := m.Storage.Attributes()["path"].(types.String)
	if m.Storage.IsUnknown() || is && !given.IsNull() {
		return all
	}
	for _, host := range m.Hosts() {
		if own := m.ReplicaText(host, ownPath); !own.IsNull() && !own.IsUnknown() {
			all.AddAttributeError(tfpath.Root("replicas").AtMapKey(host).AtName(ownPath), "Path without storage.path",
				ownPath+" says where one host has what the others have at storage.path, which is not set. Set storage.path, or remove it.")
		}
	}
	return all
}

var (
	dnsName    = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?$`)
	exportPath = regexp.MustCompile(`^/[A-Za-z0-9._/@+-]*$`)
)

// checkNFS judges an export.
func checkNFS(ctx context.Context, m *model, s storageModel) diag.Diagnostics {
	var all diag.Diagnostics
	if s.NFS.IsNull() || s.NFS.IsUnknown() {
		return all
	}
	var nfs nfsModel
	all.Append(s.NFS.As(ctx, &nfs, basetypes.ObjectAsOptions{})...)
	at := tfpath.Root("storage").AtName("nfs")
	refuse := func(at tfpath.Path, err error) {
		if err != nil {
			all.AddAttributeError(at, "Invalid NFS export", diags.Sentence(err)+".")
		}
	}
	if !nfs.Server.IsUnknown() {
		refuse(at.AtName("server"), checkServer(nfs.Server.ValueString()))
	}
	if !nfs.Path.IsUnknown() {
		refuse(at.AtName("path"), checkExport(nfs.Path.ValueString()))
	}
	var options []string
	for _, element := range nfs.Options.Elements() {
		option, _ := element.(types.String)
		if option.IsUnknown() {
			return all
		}
		options = append(options, option.ValueString())
	}
	if i, err := registry.CheckNFSOptions(options); err != nil {
		refuse(at.AtName("options").AtListIndex(i), err)
	}
	if len(m.Hosts()) > 1 && !s.Shared.IsUnknown() && !s.Shared.ValueBool() {
		all.AddAttributeWarning(at, "Several replicas on one export",
			fmt.Sprintf("All %d replicas use the same directory of the file server, and each may believe that it is the only one. "+
				"Set storage.shared = true to say that this is meant, or use path with a disk of each host, or one replica.", len(m.Hosts())))
	}
	return all
}

func checkServer(server string) error {
	if _, err := netip.ParseAddr(server); err != nil && !dnsName.MatchString(server) {
		return fmt.Errorf("%q is neither an IP address nor a DNS name; the path of the export is an attribute of its own", server)
	}
	return nil
}

func checkExport(export string) error {
	switch {
	case !exportPath.MatchString(export):
		return fmt.Errorf("%q is not an absolute path of letters, digits and . _ / @ + -", export)
	case path.Clean(export) != export:
		return fmt.Errorf("%q is not in its shortest form, %q", export, path.Clean(export))
	case export == "":
		return errors.New("the path is empty")
	}
	return nil
}
