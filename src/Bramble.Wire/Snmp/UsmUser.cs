using System.Security.Cryptography;
using System.Text;

namespace Bramble.Wire.Snmp;

/// <summary>How messages are signed: HMAC over one of these hashes (RFC 3414 §6 and §7, RFC 7860 §4).</summary>
public enum UsmAuthentication
{
    None,
    Md5,
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

/// <summary>How scoped PDUs are encrypted: CBC-DES (RFC 3414 §8) or CFB128-AES-128 (RFC 3826).</summary>
public enum UsmPrivacy
{
    None,
    Des,
    Aes128,
}

/// <summary>
/// A user of the user-based security model with the secrets that a person typed. Turning a password into a key
/// hashes a megabyte, once for each user; making that key an engine's own is cheap. Its text form shows no secret.
/// </summary>
public sealed class UsmUser
{
    /// <summary>The shortest password that RFC 3414 §11.2 allows.</summary>
    public const int LeastPassword = 8;

    private readonly Lazy<byte[]> _authenticationKey;
    private readonly Lazy<byte[]> _privacyKey;

    /// <exception cref="ArgumentException">Privacy without authentication, or a password below 8 octets.</exception>
    public UsmUser(string name, UsmAuthentication authentication = UsmAuthentication.None,
        string authenticationPassword = "", UsmPrivacy privacy = UsmPrivacy.None, string privacyPassword = "")
    {
        if (privacy != UsmPrivacy.None && authentication == UsmAuthentication.None)
            throw new ArgumentException($"SNMP user {name}: privacy needs authentication too");
        if (authentication != UsmAuthentication.None
            && Encoding.UTF8.GetByteCount(authenticationPassword) < LeastPassword)
            throw new ArgumentException($"SNMP user {name}: the authentication password has fewer than 8 characters");
        if (privacy != UsmPrivacy.None && Encoding.UTF8.GetByteCount(privacyPassword) < LeastPassword)
            throw new ArgumentException($"SNMP user {name}: the privacy password has fewer than 8 characters");
        if (Encoding.UTF8.GetByteCount(name) is 0 or > 32)
            throw new ArgumentException("an SNMP user's name has 1 to 32 octets");
        Name = name;
        Authentication = authentication;
        Privacy = privacy;
        _authenticationKey = new(() => UsmKeys.FromPassword(authentication, authenticationPassword));
        _privacyKey = new(() => UsmKeys.FromPassword(authentication, privacyPassword));
    }

    public string Name { get; }

    public UsmAuthentication Authentication { get; }

    public UsmPrivacy Privacy { get; }

    /// <summary>The flags of a message at this user's full level.</summary>
    public SnmpV3Flags Level =>
        (Authentication != UsmAuthentication.None ? SnmpV3Flags.Authenticated : 0)
        | (Privacy != UsmPrivacy.None ? SnmpV3Flags.Private : 0);

    /// <summary>The user's keys at one engine (RFC 3414 §2.6).</summary>
    public UsmKeys Localize(ReadOnlySpan<byte> engineId) => new()
    {
        Authentication = Authentication,
        Privacy = Privacy,
        AuthenticationKey = Authentication == UsmAuthentication.None
            ? [] : UsmKeys.Localize(Authentication, _authenticationKey.Value, engineId),
        PrivacyKey = Privacy == UsmPrivacy.None
            ? [] : UsmKeys.Localize(Authentication, _privacyKey.Value, engineId)[..16],
    };

    public override string ToString() => $"{Name} ({Authentication}, {Privacy})";
}

/// <summary>A user's keys at one engine. Not a record, so that no text form shows them.</summary>
public sealed class UsmKeys
{
    private const int Megabyte = 1 << 20;

    public UsmAuthentication Authentication { get; init; }

    public UsmPrivacy Privacy { get; init; }

    public byte[] AuthenticationKey { get; init; } = [];

    /// <summary>16 octets: an AES key, or a DES key and its pre-IV.</summary>
    public byte[] PrivacyKey { get; init; } = [];

    /// <summary>A password, repeated to a megabyte and hashed: Ku of RFC 3414 A.2.</summary>
    /// <exception cref="ArgumentException">An empty password.</exception>
    public static byte[] FromPassword(UsmAuthentication authentication, string password)
    {
        var octets = Encoding.UTF8.GetBytes(password);
        if (octets.Length == 0) throw new ArgumentException("an SNMP password is empty", nameof(password));
        using var hash = IncrementalHash.CreateHash(Name(authentication));
        // A whole number of repetitions at a time keeps the phase of the password.
        var block = new byte[octets.Length * Math.Max(1, 4096 / octets.Length)];
        for (var i = 0; i < block.Length; i += octets.Length) octets.CopyTo(block, i);
        for (var left = Megabyte; left > 0; left -= block.Length)
            hash.AppendData(block, 0, Math.Min(left, block.Length));
        return hash.GetHashAndReset();
    }

    /// <summary>Kul = H(Ku, engine ID, Ku).</summary>
    public static byte[] Localize(UsmAuthentication authentication, ReadOnlySpan<byte> key, ReadOnlySpan<byte> engineId)
    {
        using var hash = IncrementalHash.CreateHash(Name(authentication));
        hash.AppendData(key);
        hash.AppendData(engineId);
        hash.AppendData(key);
        return hash.GetHashAndReset();
    }

    internal static HashAlgorithmName Name(UsmAuthentication authentication) => authentication switch
    {
        UsmAuthentication.Md5 => HashAlgorithmName.MD5,
        UsmAuthentication.Sha1 => HashAlgorithmName.SHA1,
        UsmAuthentication.Sha256 => HashAlgorithmName.SHA256,
        UsmAuthentication.Sha384 => HashAlgorithmName.SHA384,
        UsmAuthentication.Sha512 => HashAlgorithmName.SHA512,
        _ => throw new ArgumentException("no authentication, no key", nameof(authentication)),
    };
}
