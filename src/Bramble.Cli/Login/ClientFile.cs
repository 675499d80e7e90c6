using System.Text.Json;
using System.Text.Json.Serialization;

namespace Bramble.Cli.Login;

/// <summary>What <c>bramble login</c> keeps: <c>$XDG_CONFIG_HOME/bramble/client.json</c>, its owner's alone.</summary>
internal sealed record ClientFile(string? Server, string? Token)
{
    private const UnixFileMode OpenModes =
        UnixFileMode.GroupRead | UnixFileMode.OtherRead | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;

    /// <summary>Null if the environment has no home to keep it in.</summary>
    public static string? PathFor(Terminal terminal)
    {
        // XDG: a relative path is to be ignored.
        if (terminal.Variable("XDG_CONFIG_HOME") is { } config && Path.IsPathRooted(config))
            return Path.Combine(config, "bramble", "client.json");
        return terminal.Variable("HOME") is { Length: > 0 } home
            ? Path.Combine(home, ".config", "bramble", "client.json")
            : null;
    }

    /// <summary>Null if there is none.</summary>
    public static ClientFile? Read(string path)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), ClientFileJson.Default.ClientFile);
        }
        catch (Exception none) when (none is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception wrong) when (wrong is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new CliException(ExitCode.Failed,
                $"cannot read {path}: {wrong.Message.TrimEnd('.')}. Remove it and log in again: bramble login");
        }
    }

    /// <summary>Others on the machine can read the token.</summary>
    public static bool IsOpenToOthers(string path) =>
        !OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & OpenModes) != 0;

    /// <summary>Whole or not at all, and never readable by others, not even for a moment.</summary>
    public void Write(string path)
    {
        var directory = Path.GetDirectoryName(path)!;
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(directory);
        }
        else
        {
            Directory.CreateDirectory(directory,
                UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }
        var fresh = Path.Combine(directory, $".client-{Guid.NewGuid():N}");
        try
        {
            using (var file = new FileStream(fresh, options))
            {
                JsonSerializer.Serialize(file, this, ClientFileJson.Default.ClientFile);
                file.Flush(flushToDisk: true);
            }
            File.Move(fresh, path, overwrite: true);
        }
        finally
        {
            File.Delete(fresh);
        }
    }
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, WriteIndented = true)]
[JsonSerializable(typeof(ClientFile))]
internal sealed partial class ClientFileJson : JsonSerializerContext;
