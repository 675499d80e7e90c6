namespace Bramble.Contracts.Api;

/// <summary>
/// The REST API's paths. Errors are RFC 9457 problem details (<c>application/problem+json</c>): 400 bad input, 401 no
/// or unknown token, 403 the role does not allow it, 404 no such thing, 409 it conflicts with what is there.
/// </summary>
public static class ApiRoutes
{
    public const string Prefix = "/api/v1";

    /// <summary>GET → <see cref="ManagerView"/>.</summary>
    public const string Manager = Prefix + "/manager";

    /// <summary>GET (<c>?select=…&amp;select=…</c>, none for all) → NodeView[]; POST NodeCreate → NodeView.</summary>
    public const string Nodes = Prefix + "/nodes";

    /// <summary>
    /// GET → NodeView; PATCH NodePatch → NodeView. The id is a number, or a selector of exactly one node.
    /// </summary>
    public const string Node = Nodes + "/{node}";

    /// <summary>GET (<c>?boots=1</c>) → TimelineView.</summary>
    public const string Timeline = Node + "/timeline";

    /// <summary>
    /// POST NodeActionRequest → NodeActionResult. Verbs: adopt forget install reinstall restart rescue boot wait.
    /// </summary>
    public const string NodeAction = Nodes + "/actions/{verb}";

    /// <summary>POST NodeImportRequest → NodeImportResult: many nodes at once, all or none.</summary>
    public const string NodeImport = Nodes + "/import";

    /// <summary>GET (<c>?select=…</c>) → PowerView[], read from the hardware.</summary>
    public const string Power = Prefix + "/power";

    /// <summary>POST PowerRequest → NodeActionResult. Verbs: on off cycle.</summary>
    public const string PowerAction = Power + "/{verb}";

    /// <summary>
    /// GET (<c>?node=SELECTOR</c>): a pcap file of the network's boot traffic that grows until the client ends it.
    /// </summary>
    public const string Capture = Prefix + "/networks/{name}/capture";

    /// <summary>GET (<c>?show=PATH</c>) → BootExplanationView.</summary>
    public const string BootExplain = Node + "/boot-explanation";

    /// <summary>GET → ImageView[].</summary>
    public const string Images = Prefix + "/images";

    /// <summary>
    /// GET → ImageView; DELETE (<c>?dryRun=true</c>) → 204; PUT (<c>?file=NAME&amp;sha256=HEX&amp;architecture=A</c>)
    /// with the file as the body → ImageView.
    /// </summary>
    public const string Image = Images + "/{name}";

    /// <summary>GET with Range and If-Range: the raw disk.</summary>
    public const string ImageDisk = Image + "/disk";

    /// <summary>GET → ImageJobView[]; POST ImageJobRequest → ImageJobView (202).</summary>
    public const string ImageJobs = Prefix + "/image-jobs";

    /// <summary>GET → ImageJobView.</summary>
    public const string ImageJob = ImageJobs + "/{id}";

    /// <summary>GET → LeaseView[].</summary>
    public const string Leases = Prefix + "/leases";

    /// <summary>GET → DhcpCountsView[]: for each network what was received, sent and ignored, by reason.</summary>
    public const string Dhcp = Prefix + "/dhcp";

    /// <summary>POST DhcpExplainRequest → DhcpExplanationView[]. Changes nothing.</summary>
    public const string DhcpExplain = Dhcp + "/explain";

    /// <summary>GET (<c>?after=ID&amp;limit=N&amp;node=SELECTOR</c>) → EventView[].</summary>
    public const string Events = Prefix + "/events";

    /// <summary>GET: the same as server-sent events, live; <c>Last-Event-ID</c> resumes.</summary>
    public const string EventStream = Events + "/stream";

    /// <summary>GET → TokenView[]; POST TokenCreate → TokenCreated.</summary>
    public const string Tokens = Prefix + "/tokens";

    /// <summary>DELETE → 204.</summary>
    public const string Token = Tokens + "/{id}";

    /// <summary>GET (<c>?images=true</c>) → the whole state as a gzipped tar archive.</summary>
    public const string Backup = Prefix + "/backup";
}

/// <summary>The daemon itself.</summary>
public sealed record ManagerView(
    string Cluster, string Version, DateTimeOffset StartedAt, IReadOnlyList<NetworkView> Networks,
    IReadOnlyDictionary<string, int> NodesByPhase, IReadOnlyDictionary<string, long> Counters, string? Trouble = null)
{
    /// <summary>What an operator should look at, one sentence each; null if there is nothing.</summary>
    public IReadOnlyList<string>? Warnings { get; init; }
}

public sealed record NetworkView(
    string Name, string Interface, string Address, string DhcpMode, string Adopt, string BootUrl);

/// <summary>RFC 9457 problem details.</summary>
public sealed record ProblemView(string? Type, string? Title, int? Status, string? Detail);
