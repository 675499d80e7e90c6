using Bramble.Manager.Configuration;

namespace Bramble.Manager.Power;

/// <summary>From a configured device to a driver's options: reads the secrets from their files.</summary>
internal static class PowerSecrets
{
    public static PowerDeviceOptions ToOptions(this PowerDeviceSection device) => device.Driver switch
    {
        "poe-snmp" => new PoeSwitchOptions
        {
            Name = device.Name,
            Host = device.Host,
            Port = device.Port,
            Version = device.Version,
            Community = Read(device, device.CommunityFile),
            User = device.User,
            AuthProtocol = device.AuthProtocol.Length > 0 ? device.AuthProtocol
                : device.AuthPasswordFile is null ? "none" : "sha-256",
            AuthPassword = Read(device, device.AuthPasswordFile),
            PrivProtocol = device.PrivProtocol.Length > 0 ? device.PrivProtocol
                : device.PrivPasswordFile is null ? "none" : "aes",
            PrivPassword = Read(device, device.PrivPasswordFile),
            Group = device.Group,
            PortOffset = device.PortOffset,
            FindCommunity = Read(device, device.FindCommunityFile),
            Timeout = device.Timeout ?? TimeSpan.FromSeconds(1),
            Retries = device.Retries,
        },
        "exec" => new ExecOptions
        {
            Name = device.Name,
            Command = device.Command,
            Timeout = device.Timeout ?? TimeSpan.FromSeconds(30),
        },
        _ => new NoPowerOptions { Name = device.Name },
    };

    private static string Read(PowerDeviceSection device, string? file)
    {
        if (file is null) return "";
        try
        {
            return File.ReadAllText(file).TrimEnd('\r', '\n');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new PowerException(
                $"power device {device.Name}: the secret in {file} cannot be read: {e.Message}", e);
        }
    }
}
