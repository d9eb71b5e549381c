package dockerhost

import (
	"context"
	"errors"
	"net"
)

type sshLink struct{}

func newSSHLink(*Host) (*sshLink, error)                                         { return nil, errors.New("ssh is not there yet") }
func (l *sshLink) dialSocket(context.Context) (net.Conn, error)                  { return nil, nil }
func (l *sshLink) dialService(context.Context, string, string) (net.Conn, error) { return nil, nil }
func (l *sshLink) close()                                                        {}
