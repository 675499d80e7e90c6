using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Bramble.Contracts.Installer;
using Bramble.Testing;

namespace Bramble.Boot.Tests.Installer;

/// <summary>A call that the board made.</summary>
internal sealed record Call(string Method, string Path, string Bearer, string Body)
{
    public InstallerMessage Message =>
        InstallerMessage.TryRead(Encoding.UTF8.GetBytes(Body), out var message, out var error)
            ? message : throw new InvalidOperationException(error);
}

/// <summary>An answer; with <paramref name="CutAt"/> the connection drops after that many octets of the body.</summary>
internal sealed record Answer(int Status, byte[] Body, int? CutAt = null)
{
    public static Answer Text(string text) => new(200, Encoding.UTF8.GetBytes(text));
}

/// <summary>The manager's side of docs/protocols/installer.md, as a test scripts it.</summary>
internal sealed class ScriptedManager : IAsyncDisposable
{
    public const string Token = "one-time-token-of-this-boot";
    public const string Session = "session-of-this-boot";

    private readonly CancellationTokenSource _stop = new();
    private readonly List<Call> _calls = [];
    private readonly string? _space;
    private readonly Queue<string> _plans;
    private Socket _listener;
    private Task _accepting;
    private string _plan = "";

    /// <param name="plans">The answers to hello and then to each question for a plan; the last is repeated.</param>
    /// <param name="space">The network namespace to listen in; null for the loopback interface of this one.</param>
    public ScriptedManager(string? space, params IEnumerable<string> plans)
    {
        _space = space;
        _plans = new Queue<string>(plans);
        _listener = NetworkNamespace.Listen(space, space is null ? new(IPAddress.Loopback, 0) : EndPoint);
        LocalEndPoint = (IPEndPoint)_listener.LocalEndPoint!;
        _accepting = AcceptAsync(_listener);
    }

    public IPEndPoint LocalEndPoint { get; }

    private static IPEndPoint EndPoint => new(IPAddress.Parse(Sandbox.ManagerAddress), 8067);

    public static string Url => $"http://{EndPoint}";

    public static string CommandLine => $"console=ttyS0 bramble.url={Url} bramble.token={Token} bramble.second=20";

    /// <summary>What to install.</summary>
    public TestImage? Image { get; init; }

    /// <summary>Answers in place of the rest, where it gives one.</summary>
    public Func<Call, Answer?> Script { get; set; } = _ => null;

    public IReadOnlyList<Call> Calls
    {
        get { lock (_calls) return [.. _calls]; }
    }

    public IReadOnlyList<InstallerMessage> Progress =>
        [.. Calls.Where(call => call.Path == "/installer/v1/progress").Select(call => call.Message)];

    public IReadOnlyList<string> Steps => [.. Progress.Select(message => message["step"]!)];

    public string? Failure => Progress.LastOrDefault(message => message["step"] == "failed")?["message"];

    public IReadOnlyList<int> FetchedChunks =>
    [
        .. Calls.Where(call => call.Path.StartsWith("/installer/v1/chunks/17-2/", StringComparison.Ordinal))
            .Select(call => Number(call.Path[(call.Path.LastIndexOf('/') + 1)..].Split('.')[0])),
    ];

    public async Task StopAsync()
    {
        _listener.Dispose();
        await _accepting.WithinAsync("the end of the manager's listener");
    }

    public void StartAgain()
    {
        _listener = NetworkNamespace.Listen(_space, LocalEndPoint);
        _accepting = AcceptAsync(_listener);
    }

    private async Task AcceptAsync(Socket listener)
    {
        try
        {
            while (true)
            {
                var socket = await listener.AcceptAsync(_stop.Token);
                _ = ServeAsync(socket);
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // Stopped.
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        try
        {
            await using var stream = new NetworkStream(socket, ownsSocket: true);
            using var reader = new StreamReader(stream, Encoding.UTF8, leaveOpen: true);
            var start = (await reader.ReadLineAsync(_stop.Token) ?? "").Split(' ');
            if (start.Length != 3) return;
            var (length, bearer) = (0, "");
            while (await reader.ReadLineAsync(_stop.Token) is { Length: > 0 } header)
            {
                var (name, value) = (header.Split(':', 2)[0], header.Split(':', 2)[1].Trim());
                if (name == "Content-Length") length = int.Parse(value, CultureInfo.InvariantCulture);
                if (name == "Authorization") bearer = value;
            }
            var body = new char[length];
            if (length > 0) await reader.ReadBlockAsync(body, _stop.Token);
            var call = new Call(start[0], start[1], bearer, new string(body));
            lock (_calls) _calls.Add(call);
            var answer = Script(call) ?? Reply(call);
            var head = $"HTTP/1.1 {answer.Status} Because\r\nContent-Length: {answer.Body.Length}\r\n" +
                "Connection: close\r\n\r\n";
            await stream.WriteAsync(Encoding.ASCII.GetBytes(head), _stop.Token);
            await stream.WriteAsync(answer.Body.AsMemory(0, answer.CutAt ?? answer.Body.Length), _stop.Token);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The board went away, as boards do.
        }
    }

    private Answer Reply(Call call)
    {
        if (call.Path == "/installer/v1/time") return Answer.Text("clock 1790000000\n");
        if (call.Path == "/node/v1/report") return Answer.Text("next 1\n");
        if (call.Bearer != "Bearer " + (call.Path == "/installer/v1/hello" ? Token : Session)) return new(401, []);
        var parts = call.Path.Split('/')[3..];
        return parts switch
        {
            ["hello"] => Answer.Text($"plan 1\nsession {Session}\nnode pi-03\n{NextPlan()}"),
            ["plan"] => Answer.Text($"plan 1\nnode pi-03\n{NextPlan()}"),
            ["progress"] => Answer.Text(
                call.Message["step"] is "done" or "failed" ? "answer plan\n" : "answer continue\n"),
            ["chunks", "17-2"] when Image is not null => Answer.Text(Image.ChunkList),
            ["chunks", "17-2", var n] when Image is not null && n.EndsWith(".gz", StringComparison.Ordinal) =>
                new(200, Zip(Image.Chunk(Number(n[..^3])))),
            ["chunks", "17-2", var n] when Image is not null => new(200, Image.Chunk(Number(n)).ToArray()),
            ["patches", "17-2", var n] when Image is not null => new(200, Image.Patches[Number(n)].Content),
            ["overlay", "17-2"] when Image is not null => new(200, Image.Overlay),
            _ => new(404, []),
        };
    }

    private string NextPlan()
    {
        lock (_calls)
            if (_plans.TryDequeue(out var plan)) _plan = plan;
        return _plan;
    }

    private static byte[] Zip(ReadOnlySpan<byte> octets)
    {
        using var stream = new MemoryStream();
        using (var zip = new GZipStream(stream, CompressionLevel.Fastest)) zip.Write(octets);
        return stream.ToArray();
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await StopAsync();
        _stop.Dispose();
    }
}

/// <summary>An image cut into chunks, with what belongs to its installation.</summary>
internal sealed class TestImage(byte[] content, int chunkBytes)
{
    public byte[] Content => content;

    public List<(long Offset, byte[] Content)> Patches { get; } = [];

    public byte[] Overlay { get; set; } = new byte[1024];

    public int ChunkCount => (content.Length + chunkBytes - 1) / chunkBytes;

    public ReadOnlySpan<byte> Chunk(int index) =>
        content.AsSpan(index * chunkBytes, Math.Min(chunkBytes, content.Length - (index * chunkBytes)));

    public string ChunkList
    {
        get
        {
            var list = new StringBuilder();
            for (var i = 0; i < ChunkCount; i++)
            {
                var chunk = Chunk(i);
                var sum = chunk.ContainsAnyExcept((byte)0) ? Sum(chunk) : "zero";
                list.Append(CultureInfo.InvariantCulture, $"{i} {chunk.Length} {sum}\n");
            }
            return list.ToString();
        }
    }

    public string Plan(long diskSize, string disk = "/dev/mmcblk0", int resume = 0, int grow = 0) =>
        $"""
        action install
        job 17-2
        resume {resume}
        disk {disk}
        disk-size {diskSize}
        disk-serial 0x1234abcd
        chunk-bytes {chunkBytes}
        chunk-count {ChunkCount}
        {PatchLines}root-partition 2
        root-fstype ext4
        grow {grow}
        overlay {Overlay.Length} {Sum(Overlay)}

        """;

    private string PatchLines =>
        string.Concat(Patches.Select((p, i) => $"patch {i} {p.Offset} {p.Content.Length} {Sum(p.Content)}\n"));

    private static string Sum(ReadOnlySpan<byte> octets) => Convert.ToHexStringLower(SHA256.HashData(octets));
}
