using System.Collections.Concurrent;
using Bramble.Wire;
using Bramble.Wire.Tftp;

namespace Bramble.Lab.Tests.StandIn;

/// <summary>A lockstep TFTP server without socket or timer: the boards repeat themselves.</summary>
internal sealed class StandInTftp(StandInManager manager)
{
    private sealed class Talk
    {
        public required byte[] Content { get; init; }

        public int BlockSize { get; set; } = TftpOption.DefaultBlockSize;
    }

    private readonly ConcurrentDictionary<(IPv4Address, ushort), Talk> _talks = [];

    /// <summary>What was asked for, in order: the path, then each option.</summary>
    public ConcurrentQueue<(IPv4Address Client, string Request)> Requests { get; } = [];

    /// <summary>The number of boards' ERROR 0 after an answer.</summary>
    public int Probes;

    public byte[]? Answer(ReadOnlySpan<byte> packet, IPv4Address client, ushort port)
    {
        if (!TftpOpcodes.TryRead(packet, out var opcode, out _)) return null;
        switch (opcode)
        {
            case TftpOpcode.ReadRequest when TftpRequest.TryRead(packet, out var request, out _):
                return Open(request, client, port);
            case TftpOpcode.Ack when TftpAck.TryRead(packet, out var ack, out _):
                return _talks.TryGetValue((client, port), out var talk) ? Block(talk, ack.Block + 1) : null;
            case TftpOpcode.Error:
                Interlocked.Increment(ref Probes);
                _talks.TryRemove((client, port), out _);
                return null;
            default:
                return null;
        }
    }

    private byte[] Open(TftpRequest request, IPv4Address client, ushort port)
    {
        Requests.Enqueue((client,
            string.Join(' ', [request.FileName, .. request.Options.Select(o => $"{o.Name}={o.Value}")])));
        if (manager.File(client, request.FileName) is not { } content)
        {
            var error = new byte[TftpError.MaxSize];
            return error[..new TftpError(TftpErrorCode.FileNotFound, "File not found").Write(error)];
        }
        var talk = _talks[(client, port)] = new Talk { Content = content };
        var taken = new List<TftpOption>();
        foreach (var option in request.Options)
        {
            if (option.Is(TftpOption.TransferSize)) taken.Add(new TftpOption("tsize", content.Length));
            if (!option.Is(TftpOption.BlockSize) || !option.TryGetNumber(out var size)) continue;
            talk.BlockSize = (int)size;
            taken.Add(option);
        }
        if (taken.Count == 0) return Block(talk, 1)!;
        var buffer = new byte[TftpOptionAck.MaxSize];
        return buffer[..new TftpOptionAck(taken).Write(buffer)];
    }

    private static byte[]? Block(Talk talk, int number)
    {
        var from = (number - 1) * talk.BlockSize;
        if (from > talk.Content.Length) return null;
        var payload = talk.Content.AsSpan(from, Math.Min(talk.BlockSize, talk.Content.Length - from));
        var packet = new byte[TftpData.HeaderSize + payload.Length];
        new TftpData((ushort)number, payload).Write(packet);
        return packet;
    }
}
