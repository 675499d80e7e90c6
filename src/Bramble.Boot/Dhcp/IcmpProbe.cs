using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Bramble.Wire;

namespace Bramble.Boot.Dhcp;

/// <summary>
/// Asks by an ICMP echo request (RFC 792) whether an address is used: also reaches a network behind a relay.
/// </summary>
internal sealed class IcmpProbe : IProbeChannel
{
    private const int SolSocket = 1;
    private const int SoBindToDevice = 25;
    private const byte EchoRequest = 8;
    private const byte EchoReply = 0;
    private const int HeaderSize = 8;

    /// <summary>Tells our answers from those to a ping that runs on this machine.</summary>
    private const ushort Identifier = 0xb7a3;

    private readonly Socket _socket;
    private readonly string _interface;
    private readonly int _index;

    private IcmpProbe(Socket socket, string name) =>
        (_socket, _interface, _index) = (socket, name, LinkSocket.IndexOf(socket, name));

    public bool IsThere => _index > 0 && LinkSocket.IndexOf(_socket, _interface) == _index;

    /// <exception cref="IOException">With the cause.</exception>
    public static IcmpProbe Open(string name)
    {
        Socket? socket = null;
        try
        {
            socket = new Socket(AddressFamily.InterNetwork, SocketType.Raw, ProtocolType.Icmp) { Blocking = false };
            socket.SetRawSocketOption(SolSocket, SoBindToDevice, Encoding.ASCII.GetBytes(name + "\0"));
            return new IcmpProbe(socket, name);
        }
        catch (SocketException e)
        {
            socket?.Dispose();
            throw new IOException($"ICMP on {name}: {e.Message}", e);
        }
    }

    public void Ask(IPv4Address address)
    {
        Span<byte> question = stackalloc byte[HeaderSize];
        question.Clear();
        question[0] = EchoRequest;
        BinaryPrimitives.WriteUInt16BigEndian(question[4..], Identifier);
        BinaryPrimitives.WriteUInt16BigEndian(question[2..], InternetChecksum.Of(question));
        try
        {
            _socket.SendTo(question, new IPEndPoint(address.ToIPAddress(), 0));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            throw new IOException($"ICMP to {address} failed: {e.Message}", e);
        }
    }

    public async ValueTask<ProbeAnswer> NextAsync(Memory<byte> buffer, CancellationToken cancellation)
    {
        try
        {
            while (true)
            {
                var length = await _socket.ReceiveAsync(buffer, SocketFlags.None, cancellation).ConfigureAwait(false);
                if (TryRead(buffer.Span[..length], out var answer)) return answer;
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            throw new IOException($"receiving ICMP failed: {e.Message}", e);
        }
    }

    public void Dispose() => _socket.Dispose();

    /// <summary>Reads an echo reply to us out of its IPv4 datagram.</summary>
    public static bool TryRead(ReadOnlySpan<byte> datagram, out ProbeAnswer answer)
    {
        answer = default;
        if (datagram.Length < 20) return false;
        var icmp = datagram[Math.Min(datagram.Length, (datagram[0] & 15) * 4)..];
        if (icmp.Length < HeaderSize || icmp[0] != EchoReply
            || BinaryPrimitives.ReadUInt16BigEndian(icmp[4..]) != Identifier)
            return false;
        answer = new ProbeAnswer(IPv4Address.Read(datagram[12..]), null);
        return true;
    }
}
