using System.Net;
using System.Net.Sockets;
using System.Text;
using Bramble.Boot.Tftp;
using Bramble.Testing;
using Bramble.Wire.Tftp;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bramble.Boot.Tests.Tftp;

/// <summary>A TFTP server on a free loopback port, with a directory to serve.</summary>
internal sealed class TftpFixture : IAsyncDisposable
{
    private readonly DirectoryInfo _root = System.IO.Directory.CreateTempSubdirectory("bramble-tftp-");
    private readonly DirectoryBootTree _tree;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;

    private TftpFixture(Func<TftpOptions, TftpOptions>? adjust)
    {
        _tree = new DirectoryBootTree(_root.FullName, NullLogger<DirectoryBootTree>.Instance);
        Directory = RecordingBootDirectory.Of(_tree);
        // A test's client may be held up on a busy machine; a block repeated at it then would be no fault of the
        // server.
        var patient = new TftpTiming { Initial = TimeSpan.FromSeconds(3), Min = TimeSpan.FromSeconds(3) };
        var options = new TftpOptions { Address = RecordingBootDirectory.Loopback, Port = 0, Timing = patient };
        Server = new TftpServer(
            adjust?.Invoke(options) ?? options, Directory, TimeProvider.System, NullLogger<TftpServer>.Instance);
        _running = Server.RunAsync(_stop.Token);
    }

    public TftpServer Server { get; }

    public RecordingBootDirectory Directory { get; }

    public IPEndPoint Door { get; private set; } = new(0, 0);

    public string Root => _root.FullName;

    public static async Task<TftpFixture> StartAsync(Func<TftpOptions, TftpOptions>? adjust = null)
    {
        var fixture = new TftpFixture(adjust);
        fixture.Door = await fixture.Server.Listening.WithinAsync("the TFTP server's port");
        return fixture;
    }

    public byte[] Put(string path, int length)
    {
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        var full = Path.Combine(Root, path);
        System.IO.Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllBytes(full, bytes);
        return bytes;
    }

    public TftpPeer Client() => new(Door);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.WithinAsync("the TFTP server's end");
        _stop.Dispose();
        _tree.Dispose();
        _root.Delete(recursive: true);
    }
}

/// <summary>A client that sends exactly what a test says.</summary>
internal sealed class TftpPeer : IDisposable
{
    private readonly UdpClient _socket;
    private readonly IPEndPoint _door;

    /// <param name="from">Its own address; null for loopback.</param>
    public TftpPeer(IPEndPoint door, IPAddress? from = null)
    {
        _door = door;
        _socket = new UdpClient(new IPEndPoint(from ?? IPAddress.Loopback, 0));
    }

    /// <summary>The server's end of the transfer: where the last packet came from.</summary>
    public IPEndPoint? Tid { get; private set; }

    public void Dispose() => _socket.Dispose();

    public Task RequestAsync(string file, params TftpOption[] options)
    {
        var packet = new byte[600];
        var length = TftpRequest.Read(file, options).Write(packet);
        return RawAsync(packet[..length]);
    }

    /// <summary>As <see cref="RequestAsync"/>, where nobody may be there to take it.</summary>
    public void TryRequest(string file)
    {
        var packet = new byte[600];
        try
        {
            _socket.Send(packet, TftpRequest.Read(file).Write(packet), _door);
        }
        catch (SocketException)
        {
            // No way there at present.
        }
    }

    public Task RawAsync(byte[] packet) => _socket.SendAsync(packet, packet.Length, _door);

    public Task RawAsync(string packet) => RawAsync(Encoding.Latin1.GetBytes(packet));

    public Task AckAsync(int block)
    {
        var packet = new byte[TftpAck.Size];
        new TftpAck((ushort)block).Write(packet);
        return ToTidAsync(packet);
    }

    public Task ErrorAsync(TftpErrorCode code, string message)
    {
        var packet = new byte[TftpError.MaxSize];
        return ToTidAsync(packet[..new TftpError(code, message).Write(packet)]);
    }

    public Task ToTidAsync(byte[] packet) => _socket.SendAsync(packet, packet.Length, Tid!);

    public async Task<byte[]> ReceiveAsync()
    {
        var receiving = _socket.ReceiveAsync(TestContext.Current.CancellationToken).AsTask();
        var got = await receiving.WithinAsync($"a packet from the TFTP server at {Tid ?? _door}");
        Tid = got.RemoteEndPoint;
        return got.Buffer;
    }

    public async Task<TftpError> ReceiveErrorAsync()
    {
        var packet = await ReceiveAsync();
        Assert.True(TftpError.TryRead(packet, out var error, out _), Convert.ToHexString(packet));
        return error;
    }

    public async Task<TftpOptionAck> ReceiveOptionsAsync()
    {
        var packet = await ReceiveAsync();
        Assert.True(TftpOptionAck.TryRead(packet, out var ack, out _), Convert.ToHexString(packet));
        return ack;
    }

    public async Task<byte[]> ReceiveBlockAsync(int block)
    {
        var packet = await ReceiveAsync();
        Assert.True(TftpData.TryRead(packet, out var data, out _), Convert.ToHexString(packet));
        Assert.Equal((ushort)block, data.Block);
        return data.Payload.ToArray();
    }

    /// <summary>True if a packet waits; a wrong answer costs the test nothing but its certainty.</summary>
    public bool HasMail => _socket.Available > 0;

    /// <summary>Takes the rest of a file, one ACK a block.</summary>
    public async Task<byte[]> TakeAsync(int blockSize, bool optionsFirst)
    {
        if (optionsFirst)
        {
            await ReceiveOptionsAsync();
            await AckAsync(0);
        }
        using var file = new MemoryStream();
        for (var block = 1; ; block++)
        {
            var payload = await ReceiveBlockAsync(block);
            file.Write(payload);
            await AckAsync(block);
            if (payload.Length < blockSize) return file.ToArray();
        }
    }
}
