using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Bramble.Manager.Provisioning;

/// <summary>What a derived credential is for; no kind passes as another.</summary>
public enum CredentialKind
{
    /// <summary>The one-time token on a kernel command line: node and boot.</summary>
    BootToken,

    /// <summary>An installer's session: node and boot, bound to the kernel's boot id.</summary>
    Session,

    /// <summary>The installed system's credential: node and install generation.</summary>
    Node,
}

/// <summary>
/// The manager's own key, and the credentials that it derives for boards. A credential is 32 octets in base64url: the
/// node id, a counter (boot or generation) and 160 bits of HMAC-SHA-256 over both, the kind and an optional binding.
/// Nothing is stored per credential, and all survive a restart of the daemon.
/// </summary>
public sealed class ServerSecret
{
    private const int HeadSize = 12;
    private const int Size = 32;

    private readonly byte[] _key;

    private ServerSecret(byte[] key) => _key = key;

    /// <summary>Reads the key, or makes it on the first start: owner-readable only, synced before use.</summary>
    public static ServerSecret Open(string stateDirectory)
    {
        var file = Path.Combine(stateDirectory, "secret.key");
        if (File.Exists(file))
        {
            var key = File.ReadAllBytes(file);
            return key.Length == Size ? new ServerSecret(key)
                : throw new InvalidDataException($"{file} must hold {Size} octets and holds {key.Length}: restore it "
                    + "from a backup (a new one would end all credentials of the nodes)");
        }
        var fresh = RandomNumberGenerator.GetBytes(Size);
        var temporary = file + ".new";
        File.Delete(temporary);
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        };
        using (var stream = new FileStream(temporary, options))
        {
            stream.Write(fresh);
            stream.Flush(flushToDisk: true);
        }
        File.Move(temporary, file);
        return new ServerSecret(fresh);
    }

    /// <param name="counter">The boot id or the install generation.</param>
    /// <param name="binding">What else it is bound to, or empty.</param>
    public string Derive(CredentialKind kind, long nodeId, long counter, string binding = "")
    {
        Span<byte> octets = stackalloc byte[Size];
        BinaryPrimitives.WriteUInt32BigEndian(octets, checked((uint)nodeId));
        BinaryPrimitives.WriteInt64BigEndian(octets[4..], counter);
        Seal(kind, octets[..HeadSize], binding, octets[HeadSize..]);
        return Base64Url.EncodeToString(octets);
    }

    /// <summary>Reads who a credential claims to be; <see cref="Verify"/> then decides whether it is.</summary>
    public static bool TryReadClaim(string credential, out long nodeId, out long counter)
    {
        (nodeId, counter) = (0, 0);
        Span<byte> octets = stackalloc byte[Size];
        // Not TryDecodeFromChars, which throws on characters that do not belong.
        if (credential.Length != 43
            || Base64Url.DecodeFromChars(credential, octets, out _, out var written) != OperationStatus.Done
            || written != Size)
            return false;
        nodeId = BinaryPrimitives.ReadUInt32BigEndian(octets);
        counter = BinaryPrimitives.ReadInt64BigEndian(octets[4..]);
        return true;
    }

    /// <summary>Whether the credential was derived by this manager for exactly this. Constant time.</summary>
    public bool Verify(string credential, CredentialKind kind, long nodeId, long counter, string binding = "") =>
        CryptographicOperations.FixedTimeEquals(
            Encoding.ASCII.GetBytes(credential), Encoding.ASCII.GetBytes(Derive(kind, nodeId, counter, binding)));

    private void Seal(CredentialKind kind, ReadOnlySpan<byte> head, string binding, Span<byte> seal)
    {
        Span<byte> mac = stackalloc byte[32];
        byte[] message = [(byte)kind, .. head, .. Encoding.UTF8.GetBytes(binding)];
        HMACSHA256.HashData(_key, message, mac);
        mac[..seal.Length].CopyTo(seal);
    }
}
