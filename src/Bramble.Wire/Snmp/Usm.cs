using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Bramble.Wire.Snmp;

/// <summary>
/// The user-based security model as functions of bytes and keys (RFC 3414, 3826, 7860). No clock: the caller knows the
/// engine's boots and time. No randomness: the caller hands out salts, each at most once for a key.
/// </summary>
public static class Usm
{
    /// <summary>usmStats: the counters whose OIDs a REPORT carries to say what was wrong (RFC 3414 §5).</summary>
    public static readonly ObjectId UnsupportedSecurityLevels = new(1, 3, 6, 1, 6, 3, 15, 1, 1, 1, 0);

    public static readonly ObjectId NotInTimeWindows = new(1, 3, 6, 1, 6, 3, 15, 1, 1, 2, 0);

    public static readonly ObjectId UnknownUserNames = new(1, 3, 6, 1, 6, 3, 15, 1, 1, 3, 0);

    public static readonly ObjectId UnknownEngineIds = new(1, 3, 6, 1, 6, 3, 15, 1, 1, 4, 0);

    public static readonly ObjectId WrongDigests = new(1, 3, 6, 1, 6, 3, 15, 1, 1, 5, 0);

    public static readonly ObjectId DecryptionErrors = new(1, 3, 6, 1, 6, 3, 15, 1, 1, 6, 0);

    /// <summary>Octets of a digest in a message: 12 for the old hashes, more for SHA-2 (RFC 7860 §4.1).</summary>
    public static int DigestLength(UsmAuthentication authentication) => authentication switch
    {
        UsmAuthentication.None => 0,
        UsmAuthentication.Sha256 => 24,
        UsmAuthentication.Sha384 => 32,
        UsmAuthentication.Sha512 => 48,
        _ => 12,
    };

    /// <summary>Encrypts and signs a message as its flags want, and returns the bytes to send.</summary>
    /// <param name="message">A message with its scoped PDU in the clear, its boots, time and user filled in.</param>
    /// <param name="keys">The user's keys at the authoritative engine.</param>
    /// <param name="salt">A number never used before with this privacy key.</param>
    public static byte[] Protect(SnmpV3Message message, UsmKeys keys, ulong salt)
    {
        var security = message.Security;
        if (message.Flags.HasFlag(SnmpV3Flags.Private) && message.Scoped is { } scoped)
        {
            var saltOctets = new byte[8];
            BinaryPrimitives.WriteUInt64BigEndian(saltOctets, salt);
            var encrypted = Crypt(keys, security, saltOctets, scoped.ToBytes(), encrypt: true);
            security = security with { Privacy = saltOctets };
            message = message with { Scoped = null, Encrypted = encrypted, Security = security };
        }
        if (!message.Flags.HasFlag(SnmpV3Flags.Authenticated)) return message.ToBytes();

        // §6.3.1: the digest is taken over the whole message with zeros in its own place.
        var digestLength = DigestLength(keys.Authentication);
        message = message with { Security = security with { Authentication = new byte[digestLength] } };
        var bytes = message.ToBytes();
        if (!SnmpV3Message.TryRead(bytes, out var written, out var error))
            throw new InvalidOperationException($"a message of our own cannot be read: {error}");
        Digest(keys, bytes).AsSpan(0, digestLength).CopyTo(bytes.AsSpan(written.AuthenticationOffset));
        return bytes;
    }

    /// <summary>True if the message's digest is that of its bytes under the key.</summary>
    public static bool IsAuthentic(ReadOnlySpan<byte> bytes, SnmpV3Message message, UsmKeys keys)
    {
        var digestLength = DigestLength(keys.Authentication);
        var digest = message.Security.Authentication;
        if (digestLength == 0 || digest.Length != digestLength) return false;
        var blanked = bytes.ToArray();
        blanked.AsSpan(message.AuthenticationOffset, digestLength).Clear();
        return CryptographicOperations.FixedTimeEquals(Digest(keys, blanked).AsSpan(0, digestLength), digest.Span);
    }

    /// <summary>Decrypts the scoped PDU of a message whose digest was found right.</summary>
    public static bool TryDecrypt(SnmpV3Message message, UsmKeys keys, out ScopedPdu scoped, out WireError error)
    {
        scoped = null!;
        var security = message.Security;
        var encrypted = message.Encrypted;
        // §8.3.2 and RFC 3826 §3.3: the salt is eight octets; DES comes in whole blocks.
        if (keys.Privacy == UsmPrivacy.None || security.Privacy.Length != 8 || encrypted.IsEmpty
            || (keys.Privacy == UsmPrivacy.Des && encrypted.Length % 8 != 0))
        {
            error = new WireError("the encrypted PDU has a wrong length, or a salt that is not eight octets", 0);
            return false;
        }
        var clear = Crypt(keys, security, security.Privacy.Span, encrypted.Span, encrypt: false);
        return ScopedPdu.TryRead(clear, out scoped, out error);
    }

    private static byte[] Crypt(
        UsmKeys keys, UsmParameters security, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> data, bool encrypt) =>
        keys.Privacy switch
        {
            UsmPrivacy.Aes128 => CryptAes(keys.PrivacyKey, security, salt, data, encrypt),
            UsmPrivacy.Des => CryptDes(keys.PrivacyKey, salt, data, encrypt),
            _ => throw new ArgumentException("a private message needs a privacy key", nameof(keys)),
        };

    // RFC 3826 §3.1.2.1: the IV is boots, time, salt. The framework's CFB wants whole blocks, and a stream mode's
    // first octets do not depend on later ones: fill up, and cut.
    private static byte[] CryptAes(
        byte[] key, UsmParameters security, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> data, bool encrypt)
    {
        Span<byte> iv = stackalloc byte[16];
        BinaryPrimitives.WriteInt32BigEndian(iv, security.EngineBoots);
        BinaryPrimitives.WriteInt32BigEndian(iv[4..], security.EngineTime);
        salt.CopyTo(iv[8..]);
        using var aes = Aes.Create();
        aes.Key = key;
        var whole = Fill(data, 16);
        var result = encrypt
            ? aes.EncryptCfb(whole, iv, PaddingMode.None, feedbackSizeInBits: 128)
            : aes.DecryptCfb(whole, iv, PaddingMode.None, feedbackSizeInBits: 128);
        return result[..data.Length];
    }

    // §8.1.1.1: the first eight octets of the key are DES's, the last eight XOR the salt are the IV.
    private static byte[] CryptDes(byte[] key, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> data, bool encrypt)
    {
        Span<byte> iv = stackalloc byte[8];
        for (var i = 0; i < 8; i++) iv[i] = (byte)(key[8 + i] ^ salt[i]);
#pragma warning disable CA5351 // DES is weak; it is what the older switches have
        using var des = DES.Create();
#pragma warning restore CA5351
        try
        {
            des.Key = key[..8];
        }
        catch (CryptographicException) when (!encrypt)
        {
            // One of DES's few weak keys: nothing can be read with it, and what comes out is refused as a PDU.
            return [];
        }
        var whole = Fill(data, 8);
        return encrypt ? des.EncryptCbc(whole, iv, PaddingMode.None) : des.DecryptCbc(whole, iv, PaddingMode.None);
    }

    private static byte[] Fill(ReadOnlySpan<byte> data, int block)
    {
        var whole = new byte[(data.Length + block - 1) / block * block];
        data.CopyTo(whole);
        return whole;
    }

#pragma warning disable CA5350, CA5351 // the protocols that agents have, weak ones included
    private static byte[] Digest(UsmKeys keys, ReadOnlySpan<byte> bytes) => keys.Authentication switch
    {
        UsmAuthentication.Md5 => HMACMD5.HashData(keys.AuthenticationKey, bytes),
        UsmAuthentication.Sha1 => HMACSHA1.HashData(keys.AuthenticationKey, bytes),
        UsmAuthentication.Sha256 => HMACSHA256.HashData(keys.AuthenticationKey, bytes),
        UsmAuthentication.Sha384 => HMACSHA384.HashData(keys.AuthenticationKey, bytes),
        UsmAuthentication.Sha512 => HMACSHA512.HashData(keys.AuthenticationKey, bytes),
        _ => throw new ArgumentException("a signed message needs an authentication key", nameof(keys)),
    };
#pragma warning restore CA5350, CA5351
}
