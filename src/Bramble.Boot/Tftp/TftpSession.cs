using System.Globalization;
using Bramble.Boot.Sockets;
using Bramble.Wire.Tftp;

namespace Bramble.Boot.Tftp;

/// <summary>
/// A transfer together with what it needs to happen: content, peer and clock. Guarded by its lane's lock.
/// </summary>
internal sealed class TftpSession(
    UdpPeer peer, TftpRequest request, string path, IBootContent content, TftpTerms terms, TimeSpan startedAt)
{
    private ContentCache.Reader _reader = new(content);

    public UdpPeer Peer { get; } = peer;

    public string Path { get; } = path;

    public IBootContent Content { get; } = content;

    public TimeSpan StartedAt { get; } = startedAt;

    public TftpTransfer Transfer { get; set; } = TftpTransfer.Create(terms);

    /// <summary>The one entry of the deadline queue that counts; others are left-overs.</summary>
    public TimeSpan QueuedFor { get; set; } = TimeSpan.MaxValue;

    /// <summary>When the transfer is next looked at: its deadline, or once ended, the end of its quarantine.</summary>
    public TimeSpan WakeAt { get; set; }

    /// <summary>Fills the buffer from an offset of the file.</summary>
    /// <exception cref="IOException">The medium failed.</exception>
    public int Read(ContentCache cache, long offset, Span<byte> buffer) => _reader.Read(cache, offset, buffer);

    /// <summary>A repeated request is the same in every word: another block size would be another transfer.</summary>
    public bool IsFor(TftpRequest other) =>
        other.FileName == request.FileName && other.Mode == request.Mode
        && other.Options.SequenceEqual(request.Options);

    /// <summary>The line on the boot timeline: <c>2,250,016 bytes in 0.8 s (2.8 MB/s), 3 retransmissions</c>.</summary>
    public string Describe(TftpEnd end, TimeSpan now)
    {
        if (end.Outcome != StepOutcome.Ok) return end.Reason;
        var seconds = (now - StartedAt).TotalSeconds;
        var length = Transfer.Terms.Length;
        var text = string.Create(CultureInfo.InvariantCulture, $"{length:N0} bytes in {seconds:0.0##} s");
        if (seconds > 0)
            text += string.Create(CultureInfo.InvariantCulture, $" ({length / seconds / 1e6:0.0##} MB/s)");
        if (Transfer.Retransmissions > 0) text += $", {Transfer.Retransmissions} retransmissions";
        return end.Reason.Length > 0 ? $"{text}; {end.Reason}" : text;
    }
}
