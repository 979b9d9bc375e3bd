using System.Net.Sockets;
using CryptoPlane.TestKit;

namespace CryptoPlane.Dpdk.Tests.Environment;

public sealed class StaleSocketsTests
{
    [Theory]
    [InlineData("net_virtio_user0,path=/run/a,server=1,queues=2", "/run/a")]
    [InlineData("net_virtio_user1,server=1,path=/run/b", "/run/b")]
    [InlineData("net_virtio_user0,path=/run/a", null)]
    [InlineData("net_virtio_user0,path=/run/a,server=0", null)]
    [InlineData("net_virtio_user0,server=1", null)]
    [InlineData("net_tap0,path=/run/a,server=1", null)]
    public void A_socket_is_that_of_a_virtio_user_that_is_its_server(string device, string? path) => Assert.Equal(path, StaleSockets.ServerPathOf(device));

    [Fact]
    public void Only_a_socket_at_which_nobody_listens_goes()
    {
        DpdkTestBed.Require();
        using var directory = new TemporaryDirectory();
        string dead = directory.File("dead"), alive = directory.File("alive"), file = directory.File("file"), missing = directory.File("missing");
        File.WriteAllText(file, "not a socket");
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(alive));
        listener.Listen(1);
        // .NET would remove the socket of a closed listener: this one is of a process that was killed.
        using (ExternalProgram other = ExternalProgram.Start("/usr/bin/python3",
            ["-c", $"import socket,time; s = socket.socket(socket.AF_UNIX); s.bind('{dead}'); s.listen(1); print('bound', flush=True); time.sleep(60)"]))
        {
            other.WaitForOutput("bound");
            StaleSockets.Remove([DeviceAt(dead)]);
            Assert.True(Path.Exists(dead));
        }
        StaleSockets.Remove([DeviceAt(dead), DeviceAt(alive), DeviceAt(file), DeviceAt(missing), DeviceAt(new string('x', 500))]);
        Assert.Equal([alive, file], System.IO.Directory.GetFileSystemEntries(directory.Path).Order());

        static string DeviceAt(string path) => $"net_virtio_user0,path={path},server=1";
    }
}
