using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using Bramble.Boot.Sockets;

namespace Bramble.BootBench;

/// <summary>
/// Boards that fetch one image by HTTP on kept connections. Unless it is to be checked, the body is dropped in the
/// kernel (MSG_TRUNC), so that the server is what is measured.
/// </summary>
internal sealed partial class HttpLoad
{
    private const int DropInKernel = 0x20; // MSG_TRUNC

    private readonly LoadOptions _options;
    private readonly byte[]? _expected;
    private readonly byte[] _buffer = new byte[1 << 20];
    private readonly byte[] _request;
    private long _bytes;

    private HttpLoad(LoadOptions options)
    {
        _options = options;
        _expected = options.Verify is { } file ? File.ReadAllBytes(file) : null;
        _request = Encoding.ASCII.GetBytes(
            $"GET {options.Path} HTTP/1.1\r\nHost: {options.Server}\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n");
    }

    public static LoadResult Run(LoadOptions options) => new HttpLoad(options).Run();

    private sealed class Fetch(Socket socket)
    {
        public Socket Socket => socket;

        public int Done { get; set; }

        public long Length { get; set; } = -1;

        public long Came { get; set; }
    }

    private LoadResult Run()
    {
        using var set = LinuxSockets.NewReadinessSet();
        var fetches = new Fetch[_options.Clients];
        for (var i = 0; i < fetches.Length; i++)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(IPAddress.Parse(BenchNetwork.ClientAddress(i)), 0));
            socket.Connect(IPAddress.Parse(_options.Server), _options.Port);
            fetches[i] = new Fetch(socket);
            LinuxSockets.Watch(set, socket.SafeHandle, (uint)i);
        }
        var started = Stopwatch.GetTimestamp();
        foreach (var fetch in fetches) fetch.Socket.Send(_request);
        Span<uint> ready = stackalloc uint[32];
        for (var left = fetches.Length; left > 0;)
        {
            var count = LinuxSockets.WaitReady(set, ready);
            foreach (var number in ready[..count]) left -= Take(fetches[number]);
        }
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        foreach (var fetch in fetches) fetch.Socket.Dispose();
        return new LoadResult(_bytes, seconds, 0, 0);
    }

    private int Take(Fetch fetch)
    {
        if (fetch.Length < 0)
        {
            Head(fetch);
        }
        else
        {
            var most = (int)Math.Min(fetch.Length - fetch.Came, _buffer.Length);
            var n = _expected is null ? Drop(fetch.Socket, most)
                : fetch.Socket.Receive(_buffer.AsSpan(0, most), SocketFlags.None);
            if (n <= 0) throw new InvalidOperationException("the server ended the connection within the body");
            Check(fetch, _buffer.AsSpan(0, n));
            fetch.Came += n;
        }
        if (fetch.Length < 0 || fetch.Came < fetch.Length) return 0;
        _bytes += fetch.Length;
        (fetch.Length, fetch.Came) = (-1, 0);
        if (++fetch.Done == _options.Fetches) return 1;
        fetch.Socket.Send(_request);
        return 0;
    }

    private void Head(Fetch fetch)
    {
        var n = fetch.Socket.Receive(_buffer.AsSpan(0, 4096), SocketFlags.Peek);
        if (n == 0) throw new InvalidOperationException("the server ended the connection before its answer");
        var head = Encoding.Latin1.GetString(_buffer, 0, n);
        var end = head.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        if (end < 0) return;
        if (!head.StartsWith("HTTP/1.1 200", StringComparison.Ordinal))
                throw new InvalidOperationException(head[..end]);
        var length = head[..end].Split("\r\n")
            .First(line => line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase))[15..];
        fetch.Length = long.Parse(length, CultureInfo.InvariantCulture);
        fetch.Socket.Receive(_buffer.AsSpan(0, end + 4), SocketFlags.None);
    }

    private void Check(Fetch fetch, ReadOnlySpan<byte> part)
    {
        if (_expected is not null && !part.SequenceEqual(_expected.AsSpan((int)fetch.Came, part.Length)))
            throw new InvalidOperationException($"the body is not the file at octet {fetch.Came}");
    }

    private static int Drop(Socket socket, int most) =>
        (int)Receive(socket.SafeHandle, 0, (nuint)most, DropInKernel);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    private static partial nint Receive(SafeSocketHandle socket, nint buffer, nuint length, int flags);
}
