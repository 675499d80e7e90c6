using Bramble.Wire.Snmp;

namespace Bramble.Manager.Power.Snmp;

/// <summary>Whom to ask, and how. Its text form shows no secret.</summary>
internal sealed record SnmpTarget
{
    public required string Host { get; init; }

    public int Port { get; init; } = 161;

    public SnmpVersion Version { get; init; } = SnmpVersion.V2c;

    public string Community { get; init; } = "";

    public UsmUser? User { get; init; }

    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(1);

    public int Retries { get; init; } = 2;

    /// <exception cref="ArgumentException">The options make no sense; the message says which.</exception>
    public static SnmpTarget From(PoeSwitchOptions options)
    {
        var version = options.Version switch
        {
            "1" => SnmpVersion.V1,
            "2c" or "2" => SnmpVersion.V2c,
            "3" => SnmpVersion.V3,
            _ => throw new ArgumentException($"'{options.Version}' is no SNMP version: 1, 2c or 3"),
        };
        if (options.Host.Length == 0) throw new ArgumentException("its host is empty");
        if (options.Port is < 1 or > 65535) throw new ArgumentException($"{options.Port} is no UDP port");
        if (options.Timeout <= TimeSpan.Zero || options.Timeout > TimeSpan.FromMinutes(1))
            throw new ArgumentException("its timeout must be above zero, and at most a minute");
        if (options.Retries is < 0 or > 10) throw new ArgumentException("its retries must be 0 to 10");
        if (options.Group < 0) throw new ArgumentException($"{options.Group} is no PoE group");
        if (version != SnmpVersion.V3 && options.Community.Length == 0)
            throw new ArgumentException($"SNMP version {options.Version} needs a community");
        return new SnmpTarget
        {
            Host = options.Host,
            Port = options.Port,
            Version = version,
            Community = options.Community,
            Timeout = options.Timeout,
            Retries = options.Retries,
            User = version == SnmpVersion.V3 ? UserOf(options) : null,
        };
    }

    private static UsmUser UserOf(PoeSwitchOptions options)
    {
        var authentication = options.AuthProtocol.ToLowerInvariant() switch
        {
            "none" or "" => UsmAuthentication.None,
            "md5" => UsmAuthentication.Md5,
            "sha" or "sha1" or "sha-1" => UsmAuthentication.Sha1,
            "sha256" or "sha-256" => UsmAuthentication.Sha256,
            "sha384" or "sha-384" => UsmAuthentication.Sha384,
            "sha512" or "sha-512" => UsmAuthentication.Sha512,
            _ => throw new ArgumentException($"'{options.AuthProtocol}' is no SNMP authentication that is spoken here: "
                + "none, md5, sha, sha-256, sha-384 or sha-512"),
        };
        var privacy = options.PrivProtocol.ToLowerInvariant() switch
        {
            "none" or "" => UsmPrivacy.None,
            "des" => UsmPrivacy.Des,
            "aes" or "aes128" or "aes-128" => UsmPrivacy.Aes128,
            _ => throw new ArgumentException($"'{options.PrivProtocol}' is no SNMP privacy that is spoken here: "
                + "none, des or aes"),
        };
        return new UsmUser(options.User, authentication, options.AuthPassword, privacy, options.PrivPassword);
    }

    public override string ToString() => $"{Host}:{Port} by SNMP {Version}";
}
