using System.CommandLine;
using System.CommandLine.Completions;
using System.Text.Json.Serialization.Metadata;
using Bramble.Cli.Api;
using Bramble.Cli.Login;
using Bramble.Contracts.Api;

namespace Bramble.Cli.Completion;

/// <summary>Names that the shell completes, as the manager has them now.</summary>
internal static class LiveNames
{
    /// <summary>A shell waits for this at each press of Tab.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    // Each has a HelpName set: for a symbol without, the help would ask for the completions, and so ask the manager.
    public static void OfNodes(CommandSet set, Argument argument)
    {
        argument.HelpName = "NODE";
        argument.CompletionSources.Add(context => Nodes(set, context));
    }

    public static void OfNodes(CommandSet set, Option option)
    {
        option.HelpName = "NODE";
        option.CompletionSources.Add(context => Nodes(set, context));
    }

    public static void OfImages(CommandSet set, Argument argument)
    {
        argument.HelpName = "IMAGE";
        argument.CompletionSources.Add(context => Images(set, context));
    }

    public static void OfImages(CommandSet set, Option option)
    {
        option.HelpName = "IMAGE";
        option.CompletionSources.Add(context => Images(set, context));
    }

    public static void OfNetworks(CommandSet set, Argument argument)
    {
        argument.HelpName = "NETWORK";
        argument.CompletionSources.Add(context =>
            Of(set, context, ApiRoutes.Manager, ContractsJson.Default.ManagerView,
                manager => manager.Networks.Select(network => network.Name)));
    }

    private static IEnumerable<CompletionItem> Nodes(CommandSet set, CompletionContext context) =>
        Of(set, context, ApiRoutes.Nodes, ContractsJson.Default.IReadOnlyListNodeView,
            nodes => nodes.Select(node => node.Name));

    private static IEnumerable<CompletionItem> Images(CommandSet set, CompletionContext context) =>
        Of(set, context, ApiRoutes.Images, ContractsJson.Default.IReadOnlyListImageView,
            images => images.Select(image => image.Name));

    /// <summary>
    /// A shell can show no message: whatever goes wrong, there are none. The library asks for completions
    /// synchronously; nothing else runs in this process then.
    /// </summary>
    private static IEnumerable<CompletionItem> Of<T>(
        CommandSet set, CompletionContext context, string route, JsonTypeInfo<T> type,
        Func<T, IEnumerable<string>> names)
    {
        try
        {
            var connection = Connection.Find(set.Terminal, context.ParseResult.GetValue(set.Options.Server));
            using var api = new ApiClient(connection, Patience, set.Terminal.Time);
            var answer = Task.Run(() => api.GetAsync(route, type, CancellationToken.None)).GetAwaiter().GetResult();
            return [.. names(answer.Value).Select(name => new CompletionItem(Output.Human.Clean(name)))];
        }
        catch (Exception)
        {
            return [];
        }
    }
}
