namespace Bramble.Manager.Configuration;

/// <summary>One thing that is wrong with a configuration file: where, what, and what to do.</summary>
public sealed record ConfigError(int Line, int Column, string Message)
{
    /// <summary>Line 0 is no place in the file: the file as such.</summary>
    public override string ToString() => Line == 0 ? Message : $"line {Line}, column {Column}: {Message}";
}

/// <summary>The configuration cannot be used. Holds every error found, not only the first.</summary>
public sealed class ConfigException(string file, IReadOnlyList<ConfigError> errors)
    : Exception(string.Join('\n', errors.Select(error => $"{file}: {error}")))
{
    public IReadOnlyList<ConfigError> Errors { get; } = errors;
}
