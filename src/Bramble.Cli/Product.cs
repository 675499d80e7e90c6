using System.Reflection;

namespace Bramble.Cli;

/// <summary>This program's version.</summary>
internal static class Product
{
    public static string Version { get; } = typeof(Product).Assembly
        .GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0.0.0";
}
