using Bramble.Wire;
using Bramble.Wire.Tftp;

namespace Bramble.Boot.Tftp;

/// <summary>What to do with a packet that came to the well-known port.</summary>
/// <param name="Request">The request to serve; null if it is refused or ignored.</param>
/// <param name="Path">The file, normalized, when it is served; what the client called it otherwise.</param>
/// <param name="Refusal">The answer if it is refused; null if it is served or ignored.</param>
/// <param name="Reason">A counter label: stable, few values.</param>
/// <param name="Detail">The reason in words.</param>
internal sealed record TftpDecision(
    TftpRequest? Request, string Path, TftpError? Refusal, string Reason, string Detail);

/// <summary>Reads a first packet and decides, purely, whether it is served.</summary>
internal static class TftpResponder
{
    private const string NetasciiMode = "netascii";

    public static TftpDecision Decide(ReadOnlySpan<byte> packet)
    {
        if (!TftpOpcodes.TryRead(packet, out var opcode, out var error)) return Ignore("malformed", error);
        // Neither an ERROR nor anything of a running transfer belongs here. Answering could start a loop.
        if (opcode is not (TftpOpcode.ReadRequest or TftpOpcode.WriteRequest))
            return Ignore("not_a_request", new WireError($"{opcode} on the port for requests", 0));
        if (!TftpRequest.TryRead(packet, out var request, out error))
            return Refuse("", "malformed", TftpErrorCode.IllegalOperation, error.Reason);
        var name = Shown(request.FileName);
        if (opcode == TftpOpcode.WriteRequest)
            return Refuse(name, "write", TftpErrorCode.AccessViolation, "this server is read-only");
        if (!IsMode(request, TftpRequest.Octet) && !IsMode(request, NetasciiMode))
            return Refuse(name, "mode", TftpErrorCode.IllegalOperation, "use octet mode");
        return BootPath.TryNormalize(request.FileName, out var path, out error)
            ? new TftpDecision(request, path, null, "served", "")
            : Refuse(name, "path", TftpErrorCode.AccessViolation, error.Reason);
    }

    public static bool IsNetascii(TftpRequest request) => IsMode(request, NetasciiMode);

    private static bool IsMode(TftpRequest request, string mode) =>
        request.Mode.Equals(mode, StringComparison.OrdinalIgnoreCase);

    private static TftpDecision Ignore(string reason, WireError error) => new(null, "", null, reason, error.ToString());

    private static TftpDecision Refuse(string name, string reason, TftpErrorCode code, string detail) =>
        new(null, name, new TftpError(code, detail), reason, detail);

    /// <summary>A name that was refused goes to logs and timelines: short, and without terminal control.</summary>
    private static string Shown(string name) => string.Create(Math.Min(name.Length, 80), name, static (chars, from) =>
    {
        for (var i = 0; i < chars.Length; i++) chars[i] = char.IsControl(from[i]) ? '?' : from[i];
    });
}
