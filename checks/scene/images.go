package scene

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// push puts an image into the registry's store.
func (r *registryServer) push(name string, image Image) error {
	repository, tag, _ := strings.Cut(name, ":")
	switch image.Kind {
	case "schema1":
		return r.put(repository, "manifests/"+tag, types.DockerManifestSchema1Signed,
			[]byte(`{"schemaVersion":1,"name":"`+
				repository+`","tag":"`+tag+`","fsLayers":[],"history":[],"signatures":[]}`))
	case "garbage":
		return r.put(repository, "manifests/"+tag, types.OCIManifestSchema1, []byte(`{"schemaVersion":`))
	}
	platforms := image.Platforms
	if len(platforms) == 0 {
		platforms = []string{"linux/amd64"}
	}
	index := v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex}
	for _, platform := range platforms {
		manifest, of, err := r.manifest(repository, platform, image)
		if err != nil {
			return err
		}
		if len(platforms) == 1 && !image.Index {
			return r.put(repository, "manifests/"+tag, types.OCIManifestSchema1, manifest)
		}
		member, err := descriptor(types.OCIManifestSchema1, manifest)
		if err != nil {
			return err
		}
		if err := r.put(repository, "manifests/"+member.Digest.String(), member.MediaType, manifest); err != nil {
			return err
		}
		member.Platform = of
		index.Manifests = append(index.Manifests, member)
	}
	raw, err := json.Marshal(index)
	if err != nil {
		return err
	}
	return r.put(repository, "manifests/"+tag, types.OCIImageIndex, raw)
}

// manifest makes the image of one platform and pushes its config and layers.
func (r *registryServer) manifest(repository, platform string, image Image) ([]byte, *v1.Platform, error) {
	of, err := v1.ParsePlatform(platform)
	if err != nil {
		return nil, nil, err
	}
	config := v1.ConfigFile{
		OS: of.OS, Architecture: of.Architecture, Variant: of.Variant,
		Created: v1.Time{Time: image.Created}, RootFS: v1.RootFS{Type: "layers"},
	}
	m := v1.Manifest{SchemaVersion: 2, MediaType: types.OCIManifestSchema1}
	count := image.Layers
	if count == 0 {
		count = 2
	}
	for i := range count {
		content := strings.Repeat(fmt.Sprintf("layer %d of %s for %s\n", i, repository, platform), i+1)
		layer, err := r.pushBlob(repository, types.OCIUncompressedLayer, []byte(content), image, i)
		if err != nil {
			return nil, nil, err
		}
		m.Layers = append(m.Layers, layer)
		config.RootFS.DiffIDs = append(config.RootFS.DiffIDs, layer.Digest)
	}
	raw, err := json.Marshal(config)
	if err != nil {
		return nil, nil, err
	}
	kind := types.OCIConfigJSON
	if image.Kind == "artifact" {
		kind = "application/vnd.cncf.helm.config.v1+json"
	}
	if m.Config, err = r.pushBlob(repository, kind, raw, image, -1); err != nil {
		return nil, nil, err
	}
	raw, err = json.Marshal(m)
	return raw, of, err
}

func descriptor(kind types.MediaType, content []byte) (v1.Descriptor, error) {
	digest, size, err := v1.SHA256(bytes.NewReader(content))
	return v1.Descriptor{MediaType: kind, Size: size, Digest: digest}, err
}

// pushBlob pushes a layer, or the config as number -1, and notes whether it is to be missing or denied.
func (r *registryServer) pushBlob(repository string, kind types.MediaType, content []byte, image Image, number int) (
	v1.Descriptor, error,
) {
	blob, err := descriptor(kind, content)
	if err != nil {
		return blob, err
	}
	if slices.Contains(image.Missing, number) {
		r.kept[blob.Digest.String()] = http.StatusNotFound
	}
	if slices.Contains(image.Denied, number) {
		r.kept[blob.Digest.String()] = http.StatusForbidden
	}
	return blob, r.put(repository, "blobs/uploads/?digest="+blob.Digest.String(), "", content)
}

// put sends one upload to the store, past the lock.
func (r *registryServer) put(repository, path string, contentType types.MediaType, content []byte) error {
	method := http.MethodPut
	if strings.HasPrefix(path, "blobs/") {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(context.Background(), method,
		"https://"+r.key+"/v2/"+repository+"/"+path, bytes.NewReader(content))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", string(contentType))
	answer := &recorder{header: http.Header{}}
	r.store.ServeHTTP(answer, req)
	if answer.status/100 != 2 {
		return fmt.Errorf("%s %s: status %d: %s", method, path, answer.status, answer.body.String())
	}
	return nil
}

// recorder takes the store's answer to an upload.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header is the answer's.
func (r *recorder) Header() http.Header { return r.header }

// WriteHeader notes the status.
func (r *recorder) WriteHeader(status int) { r.status = status }

// Write keeps the body.
func (r *recorder) Write(p []byte) (int, error) { return r.body.Write(p) }
