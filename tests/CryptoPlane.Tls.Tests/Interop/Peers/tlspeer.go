// Go's crypto/tls as a peer of interop tests; see README.md.
package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/rand"
	"os"
	"strconv"
)

const piece = 10_000

func main() {
	if os.Args[1] == "client" {
		client(os.Args[2], number(os.Args[3]), number(os.Args[4]), os.Args[5], os.Args[6], os.Args[7])
	} else {
		server(number(os.Args[2]), os.Args[3], os.Args[4], os.Args[5])
	}
	fmt.Println("done.")
}

func client(port string, count, size int, root, certificate, key string) {
	pair, err := tls.LoadX509KeyPair(certificate, key)
	check(err)
	config := &tls.Config{
		RootCAs:            pool(root),
		Certificates:       []tls.Certificate{pair},
		ServerName:         "server.example",
		MinVersion:         tls.VersionTLS13,
		NextProtos:         []string{"http/1.1"},
		ClientSessionCache: tls.NewLRUClientSessionCache(8),
	}
	for i := 0; i < count; i++ {
		// Sessions are for the next connection alone: behind a HelloRetryRequest this Go's binders are wrong (golang/go issue 59424).
		if i%2 == 0 {
			config.ClientSessionCache = tls.NewLRUClientSessionCache(8)
		}
		connection, err := tls.Dial("tcp", "127.0.0.1:"+port, config)
		check(err)
		for done := 0; done < size; {
			length := 1 + rand.Intn(piece)
			if length > size-done {
				length = size - done
			}
			sent, back := make([]byte, length), make([]byte, length)
			rand.Read(sent)
			_, err = connection.Write(sent)
			check(err)
			_, err = io.ReadFull(connection, back)
			check(err)
			if !bytes.Equal(sent, back) {
				panic("something else came back")
			}
			done += length
		}
		if _, err = connection.Read(make([]byte, 1)); err != io.EOF {
			panic("not the end")
		}
		check(connection.Close())
	}
}

func server(count int, certificate, key, root string) {
	pair, err := tls.LoadX509KeyPair(certificate, key)
	check(err)
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{pair},
		MinVersion:   tls.VersionTLS13,
		ClientCAs:    pool(root),
		ClientAuth:   tls.VerifyClientCertIfGiven,
	})
	check(err)
	_, port := split(listener.Addr().String())
	fmt.Printf("port %s.\n", port)
	for i := 0; i < count; i++ {
		connection, err := listener.Accept()
		check(err)
		check(connection.(*tls.Conn).Handshake())
		shown := "none"
		if len(connection.(*tls.Conn).ConnectionState().PeerCertificates) > 0 {
			shown = "certificate"
		}
		fmt.Println("client:", shown)
		_, err = io.CopyBuffer(struct{ io.Writer }{connection}, struct{ io.Reader }{connection}, make([]byte, piece))
		check(err)
		check(connection.Close())
	}
}

func pool(file string) *x509.CertPool {
	pem, err := os.ReadFile(file)
	check(err)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	return pool
}

func split(address string) (host, port string) {
	at := bytes.LastIndexByte([]byte(address), ':')
	return address[:at], address[at+1:]
}

func number(text string) int {
	value, err := strconv.Atoi(text)
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
