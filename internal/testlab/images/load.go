package images

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
)

// apiVersion is the Docker API of the oldest daemon the lab runs, Docker 20.10.
const apiVersion = "v1.41"

// Load brings an image into the daemon behind a unix socket, unless that daemon has this very image under this name.
func Load(ctx context.Context, socket string, archive Archive) error {
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		},
	}}
	has, err := inspect(ctx, client, archive.Name)
	if err != nil {
		return fmt.Errorf("look for image %s behind %s: %w", archive.Name, socket, err)
	}
	if has == archive.ID {
		return nil
	}
	if err := send(ctx, client, archive.Path); err != nil {
		return fmt.Errorf("load image %s through %s: %w", archive.Name, socket, err)
	}
	return nil
}

// inspect returns the ID of the image with that name, or "" when the daemon has none.
func inspect(ctx context.Context, client *http.Client, name string) (string, error) {
	address := "http://docker/" + apiVersion + "/images/" + url.PathEscape(name) + "/json"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", err
	}
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusNotFound {
		return "", nil
	}
	var image struct {
		ID      string `json:"Id"`
		Message string `json:"message"`
	}
	if err := json.NewDecoder(response.Body).Decode(&image); err != nil {
		return "", err
	}
	if response.StatusCode != http.StatusOK {
		return "", errors.New(image.Message)
	}
	return image.ID, nil
}

func send(ctx context.Context, client *http.Client, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://docker/"+apiVersion+"/images/load?quiet=1", file)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-tar")
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	// The status is 200 before the daemon has read the archive: what went wrong is in the stream of messages.
	messages := json.NewDecoder(response.Body)
	for {
		var message struct {
			Error   string `json:"error"`
			Message string `json:"message"`
		}
		if err := messages.Decode(&message); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		if said := message.Error + message.Message; said != "" {
			return errors.New(said)
		}
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("daemon answered %s", response.Status)
	}
	return nil
}
