/** Made from docs/openapi.json by scripts/sdk-types.ts. Not to be edited. */
export interface paths {
    "/v1/environments": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List environments, newest first */
        get: operations["getVEnvironments"];
        put?: never;
        /**
         * Create an environment with one workload, and start it
         * @description Answers once it runs. With `Upgrade: dayfly-frames` the connection goes on as frames: progress, queued, started, output, exit and ended, and stdin, resizes and signals the other way. A client that goes away before the start gives it up and nothing is left; later, its lease ends it.
         */
        post: operations["postVEnvironments"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/environments/{ref}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One environment with its instances */
        get: operations["getVEnvironmentsRef"];
        put?: never;
        post?: never;
        /**
         * End an environment, and answer when nothing is left of it
         * @description Works in every state and may be repeated. Its record stays until its retention ends.
         */
        delete: operations["deleteVEnvironmentsRef"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/environments/{ref}/access": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Requests and connections that came to an environment through the gateway, oldest first
         * @description One JSON document a line. Reading it is no activity.
         */
        get: operations["getVEnvironmentsRefAccess"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/environments/{ref}/extend": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Move the end of an environment's lease */
        post: operations["postVEnvironmentsRefExtend"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/environments/up": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Bring up an environment whose workloads are kept running, or change the living one of that name to the draft
         * @description Answers once that is written; the workloads follow in the order of their dependencies, whatever becomes of the client: see `workloads`. A client that goes away before that gives it up, and nothing has changed.
         */
        post: operations["postVEnvironmentsUp"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/environments/diff": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * What `up` would change
         * @description Images that are not there are fetched, for they are part of what may differ. Nothing else is done.
         */
        post: operations["postVEnvironmentsDiff"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/environments/{ref}/workloads": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How the workloads of an environment stand
         * @description With `follow` one document a line: the first at once, then each change until the environment ends. Looking is no activity.
         */
        get: operations["getVEnvironmentsRefWorkloads"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/environments/{ref}/workloads/{workload}/exit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Answer when a workload's instance has ended and is not restarted */
        get: operations["getVEnvironmentsRefWorkloadsWorkloadExit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/environments/{ref}/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Freeze all instances of an environment
         * @description A request through the gateway, an exec or resume wakes it. Its ttl runs on.
         */
        post: operations["postVEnvironmentsRefPause"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/environments/{ref}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Let the instances of a paused environment go on */
        post: operations["postVEnvironmentsRefResume"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/instances": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List instances, oldest first */
        get: operations["getVInstances"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/instances/{ref}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One instance */
        get: operations["getVInstancesRef"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/instances/{ref}/logs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * An instance's output
         * @description As frames with `Accept: application/vnd.dayfly.frames`, else one JSON document a line. Reading it is no activity.
         */
        get: operations["getVInstancesRefLogs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/instances/{ref}/wait": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Answer when an instance is no longer live, all its output being in its log */
        get: operations["getVInstancesRefWait"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/instances/{ref}/stop": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Send the workload's stop signal, after its grace SIGKILL; answer when it has ended */
        post: operations["postVInstancesRefStop"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/instances/{ref}/kill": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Send a signal to the first process of an instance */
        post: operations["postVInstancesRefKill"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/instances/{ref}/exec": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Run one more command in an instance
         * @description stdin, resizes and signals one way; stdout, stderr and the exit the other. A client that goes away hangs the command up.
         */
        post: operations["postVInstancesRefExec"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/instances/{ref}/terminal": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A terminal in an instance, for pages
         * @description A WebSocket (protocol `dayfly-frames`) whose binary messages are frames without their length: the kind, then the payload. Otherwise as exec: stdin, resizes and signals one way; stdout, stderr, the exit and an error the other.
         */
        get: operations["getVInstancesRefTerminal"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/instances/{ref}/attach": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Take part in the first process of an instance
         * @description A started frame once it is attached, output from then on and its exit one way; stdin, resizes and signals the other. A client that goes away is only detached.
         */
        post: operations["postVInstancesRefAttach"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/instances/{ref}/files": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read a file of an instance
         * @description An ordinary file, byte for byte; links are followed within the instance. Written into the record, with the hash of what was read.
         */
        get: operations["getVInstancesRefFiles"];
        put?: never;
        /**
         * Write a file of an instance, all of it or nothing
         * @description Until the last byte is there, the file is as it was before; a client that goes away earlier has changed nothing.
         */
        post: operations["postVInstancesRefFiles"];
        /**
         * Remove a file or folder of an instance
         * @description A link is removed itself.
         */
        delete: operations["deleteVInstancesRefFiles"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/instances/{ref}/files/stat": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What a path of an instance is
         * @description A link is told itself.
         */
        get: operations["getVInstancesRefFilesStat"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/instances/{ref}/files/list": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What is in a folder of an instance
         * @description By path. Folders that the user may not look into are left closed.
         */
        get: operations["getVInstancesRefFilesList"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/instances/{ref}/files/folder": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Make a folder in an instance */
        post: operations["postVInstancesRefFilesFolder"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/instances/{ref}/files/rename": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Rename a file or folder of an instance
         * @description A file that has the new name is replaced, as rename(2) does it.
         */
        post: operations["postVInstancesRefFilesRename"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/instances/{ref}/files/watch": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Changes of a file, or in a folder, of an instance, as they happen
         * @description First an event `watching`: nothing after it is missed. Ends when what is watched is gone. It cannot be resumed: look anew, and watch again.
         */
        get: operations["getVInstancesRefFilesWatch"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Entries of the record, oldest first
         * @description With `follow` as server-sent events, whose ids are cursors: a client that comes back with `Last-Event-ID` misses none.
         */
        get: operations["getVEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/activity": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What instances did: kernel events, and samples of what they used
         * @description All that is said must fit. Newest first, in the order in which it was kept.
         */
        get: operations["getVActivity"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/images": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List images, the last that came first */
        get: operations["getVImages"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/images/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One image */
        get: operations["getVImagesName"];
        put?: never;
        post?: never;
        /** Remove a name (the image with its last one), or by digest an image with all its names */
        delete: operations["deleteVImagesName"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/images/pull": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Fetch an image */
        post: operations["postVImagesPull"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/images/import": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Make an image of a root file system */
        post: operations["postVImagesImport"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/images/build": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Make an image of a Dockerfile */
        post: operations["postVImagesBuild"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/images/gc": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Remove what no name and no living environment refers to */
        post: operations["postVImagesGc"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/images/scan": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Say what an image holds, and what is wrong with it
         * @description Fetched first where it is missing. What admission is decided by is the same.
         */
        post: operations["postVImagesScan"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/vulnerabilities": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What vulnerability data there is */
        get: operations["getVVulnerabilities"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/vulnerabilities/update": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Bring vulnerability data in: all of it or none
         * @description Until it is all there, what was there counts. A client that goes away cancels it.
         */
        post: operations["postVVulnerabilitiesUpdate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/who": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Which environments ran a package, a vulnerability or an image
         * @description Of all that a record speaks of, whether or not the image is still there. At least one of package, cve and image is needed.
         */
        get: operations["getVWho"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/environments/{ref}/verify": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Whether the record of an environment, and what goes with it, is what was written
         * @description Reads all of it: chain, seal, signature, logs, access log, activity, evidence. What is wrong is named; an answer that it is broken is no error.
         */
        get: operations["getVEnvironmentsRefVerify"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/environments/{ref}/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * All that is kept of an ended environment, as one signed bundle
         * @description A tar archive (docs/record.md has its layout). An answer that breaks off in the middle is a failure: see the log of the daemon.
         */
        get: operations["getVEnvironmentsRefExport"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/environments/{ref}/report": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The whole life of an environment, in bounded size
         * @description Of one that lives, as far as it has come. Lists say how many more there are.
         */
        get: operations["getVEnvironmentsRefReport"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/environments/{ref}/report/page": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The report for people to read
         * @description One page without scripts that needs nothing else; it can be kept as it is.
         */
        get: operations["getVEnvironmentsRefReportPage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/record/keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Public keys that records are, and were, signed with */
        get: operations["getVRecordKeys"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/cost": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What instances used, and what that cost
         * @description Of instances that have ended and whose record is kept.
         */
        get: operations["getVCost"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/blocked-images": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Images that are not admitted any more */
        get: operations["getVBlockedImages"];
        put?: never;
        /**
         * Block an image
         * @description By its digest: no start of it is admitted from now on, whatever policy says. What runs goes on. Blocking it again changes nothing.
         */
        post: operations["postVBlockedImages"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/blocked-images/{digest}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Let an image be admitted again */
        delete: operations["deleteVBlockedImagesDigest"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/environments/{ref}/evidence": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Evidence that was taken of instances, oldest first */
        get: operations["getVEnvironmentsRefEvidence"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/environments/{ref}/evidence/{take}/{file}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One file of evidence */
        get: operations["getVEnvironmentsRefEvidenceTakeFile"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/notify": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How it stands with those who are told of detections */
        get: operations["getVNotify"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/notify/deliveries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What was sent to those who are told, the oldest of each target first
         * @description Of each target the last 1,000, as far as they fit into 16 MiB.
         */
        get: operations["getVNotifyDeliveries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/notify/replay": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send deliveries again
         * @description Through the queue of their target, with the ids that they had.
         */
        post: operations["postVNotifyReplay"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/notify/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send a test message to those who are told of detections
         * @description At once, past what waits. That one has failed is no error of the call.
         */
        post: operations["postVNotifyTest"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/findings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What is wrong with what runs and what ran, by risk
         * @description Vulnerabilities, secrets and misconfigurations of images that records speak of, detections, and denied starts: the same thing once, with the places where it is.
         */
        get: operations["getVFindings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/detections": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What rules have detected, of all records */
        get: operations["getVDetections"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/detections/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One detection, with what the instance did in the minute before it, and what was done about it */
        get: operations["getVDetectionsId"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/inventory": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Images that ran, as long as a record speaks of them
         * @description Also those that were removed from the image store since.
         */
        get: operations["getVInventory"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/inventory/{digest}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What an image that ran holds, and where it ran */
        get: operations["getVInventoryDigest"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/policies": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Policies in force, rule by rule */
        get: operations["getVPolicies"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/rules": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Rules of detection, of the files as they are now */
        get: operations["getVRules"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/exemptions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What is let through, by whom and until when */
        get: operations["getVExemptions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/playground/policy": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Try a policy on a sample
         * @description What is wrong with either is part of the answer. Nothing is kept, and nothing in force changes. It may take 4 seconds.
         */
        post: operations["postVPlaygroundPolicy"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/playground/rule": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Try rules of detection on what an environment did, or on cases
         * @description What is wrong with them is part of the answer. Nothing is kept, and nothing in force changes. It may take 4 seconds.
         */
        post: operations["postVPlaygroundRule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/host": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What this host has, what is promised of it, and what is on it
         * @description By osquery where it is installed, otherwise from the files of a Debian system. Nothing is fetched.
         */
        get: operations["getVHost"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/whoami": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who asks, and what they may see */
        get: operations["getVWhoami"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List tokens, oldest first
         * @description Those that were revoked or have expired are shown for 90 days.
         */
        get: operations["getVTokens"];
        put?: never;
        /** Make a token */
        post: operations["postVTokens"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/tokens/{id}/rotate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Give a token another secret
         * @description The one before stays good for the overlap, so that nothing fails while the new one is brought where it is used.
         */
        post: operations["postVTokensIdRotate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/tokens/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Revoke a token
         * @description At once, and with it the sessions that were opened by it. Revoking it again changes nothing.
         */
        delete: operations["deleteVTokensId"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/session/code": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make a one-time code for a browser
         * @description The page exchanges it for a session of the same rights; of the local owner for that of an admin. Where the daemon listens nowhere yet, it does so on the loopback from then on.
         */
        post: operations["postVSessionCode"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Exchange a one-time code, or a token, for a session
         * @description Answers with a cookie that no script can read, good for 12 hours.
         */
        post: operations["postVSession"];
        /** End the session of the cookie */
        delete: operations["deleteVSession"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Who has called what, newest first
         * @description Calls over the network, also those that were refused, and calls about access over the socket. Reads of the same thing within a minute are one entry.
         */
        get: operations["getVAudit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/backup": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * All of the state that cannot be had again, as one archive
         * @description A tar archive as of now, while the daemon goes on: records, what instances did, logs, keys, policies and rules, and a manifest with the hash of each, which comes last: an archive without it was cut off. It holds keys. docs/operations.md says how it is restored.
         */
        post: operations["postVBackup"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/version": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What answers here */
        get: operations["getVVersion"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/doctor": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether this host has what Dayfly needs */
        get: operations["getVDoctor"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/doctor/leaks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Kernel objects and folders that Dayfly owns and no living instance explains */
        get: operations["getVDoctorLeaks"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What is counted, for Prometheus
         * @description In its text format, version 0.0.4. docs/telemetry.md describes each metric.
         */
        get: operations["getMetrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This API as an OpenAPI 3.1 document */
        get: operations["getVOpenapiJson"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/docs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This API for people to read */
        get: operations["getVDocs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        About: {
            version: string;
            /** @constant */
            api: "v1";
            backend: string;
            node: string;
            pid: number;
            startedAt: number;
            stateDir: string;
            runDir: string;
        };
        AccessEntry: {
            /** @description When the request's head was there; wall clock, ms. */
            time: number;
            /** @description The way in that it took. */
            target: string;
            environment: string;
            workload: string;
            /** @description Absent when no instance was reached. */
            instance?: string;
            /** @description IP address. */
            client: string;
            /** @enum {string} */
            protocol: "HTTP/1.0" | "HTTP/1.1" | "HTTP/2" | "TCP";
            method: string;
            host: string;
            /** @description Without the query, which may hold secrets; at most 2,048 characters. */
            path: string;
            /** @description 499 when the client left; 0 of a connection that has none. */
            status: number;
            bytesIn: number;
            bytesOut: number;
            /** @description ms from the request's head to the answer's end. */
            duration: number;
        };
        AuditEntry: {
            sequence: number;
            time: number;
            /** @enum {string} */
            kind: "owner" | "token" | "session" | "stranger";
            name: string;
            address: string;
            route: string;
            ref: string;
            status: number;
            code?: string;
            count: number;
            until: number;
            hash: string;
        };
        AuditList: {
            entries: components["schemas"]["AuditEntry"][];
            /** @description `before` of the next page; null: these were the last there are. */
            next: number | null;
            /** @description The whole log was looked at, as `verify` asks for. */
            verified: boolean;
            /** @description Then: sequence of the first entry that is not what was written; null when all are. */
            broken: number | null;
        };
        BlockImageRequest: {
            /** @description A name or digest of an image of the store, or the whole digest of one that is not there. */
            image: string;
            /** @description For people: everybody who is refused reads it. */
            reason: string;
        };
        BlockedImage: {
            digest: string;
            /** @description As it was asked for, where that is known. */
            name: string | null;
            reason: string;
            actor: {
                /** @enum {string} */
                kind: "user" | "dayfly" | "instance";
                name: string;
            };
            /** @description The detection rule that has led to it. */
            rule: string | null;
            /** @description Whose instance it was detected in. */
            environment: string | null;
            since: number;
        };
        BlockedImageList: {
            images: components["schemas"]["BlockedImage"][];
        };
        BuildRequest: {
            /** @description Of the new image. */
            name: string;
            /**
             * @description Further names.
             * @default []
             */
            tags?: string[];
            /** @description A folder on the daemon's host. */
            context: string;
            /**
             * @description Its path, relative to the context; or what it says.
             * @default {
             *       "path": "Dockerfile"
             *     }
             */
            dockerfile?: {
                path: string;
            } | {
                text: string;
            };
            /** @default {} */
            args?: {
                [key: string]: string;
            };
            /** @description The stage to build. Left out: the last. */
            target?: string;
            /** @default {} */
            labels?: {
                [key: string]: string;
            };
            /**
             * @description Further contexts by name: a folder, or an image as `docker://NAME`.
             * @default {}
             */
            contexts?: {
                [key: string]: string;
            };
            /**
             * @description Further lines of /etc/hosts, while it is built.
             * @default {}
             */
            hosts?: {
                [key: string]: string[];
            };
            /**
             * @description By id, for RUN --mount=type=secret. Never stored.
             * @default {}
             */
            secrets?: {
                [key: string]: string;
            };
            /**
             * @description Of RUN steps, e.g. nofile; -1 is unlimited. None beyond those of the daemon.
             * @default {}
             */
            ulimits?: {
                [key: string]: {
                    soft: number;
                    hard: number;
                };
            };
            /**
             * @description Of RUN steps. `host`: this host's own, for steps that fetch packages.
             * @default none
             * @enum {string}
             */
            network?: "none" | "host";
            /**
             * @description Fetch base images anew.
             * @default false
             */
            pull?: boolean;
            /**
             * @description Use steps of earlier builds.
             * @default true
             */
            cache?: boolean;
            platform?: string;
            /** @description The text of a registry credentials file (docker's config.json, containers' auth.json). Only its `auths` are used. Never stored. */
            auth?: string;
        };
        Capacity: {
            cpus: {
                count: number;
                model: string;
                /** @description Over 1, 5 and 15 minutes. */
                load: number[];
            };
            memory: {
                total: number;
                /** @description Without taking it from anybody. */
                available: number;
                swap: number;
                swapFree: number;
            };
            disks: {
                path: string;
                /** @description What Dayfly has there. */
                of: string;
                size: number;
                free: number;
            }[];
            pids: {
                /** @description Threads of the whole host. */
                now: number;
                most: number;
            };
            /** @description Limits of all live instances together: what they might use at once. */
            promised: {
                cpus: number;
                memory: number;
                instances: number;
                environments: number;
            };
        };
        Change: {
            /** @enum {string} */
            subject: "workload" | "network" | "volume" | "config" | "lease" | "labels";
            /** @description Empty for the lease and labels. */
            name: string;
            /** @enum {string} */
            kind: "added" | "changed" | "removed";
            /** @description Paths of the fields that differ, e.g. `image`, `env.DEBUG`. */
            fields: string[];
            /**
             * @description What becomes of instances.
             * @enum {string}
             */
            effect: "started" | "replaced" | "stopped" | "kept";
        };
        CollectRequest: {
            /**
             * @description Also images that have a name, unless a living environment uses them.
             * @default false
             */
            all?: boolean;
        };
        Cost: {
            /** @enum {string} */
            by: "owner" | "environment" | "image" | "label" | "day";
            label: string | null;
            prices: components["schemas"]["PriceTable"];
            /** @description The greatest memory first, at most 1,000; days in their order. */
            rows: components["schemas"]["CostRow"][];
            /** @description Of all, also of those that are no rows. */
            total: components["schemas"]["CostRow"];
        };
        CostRow: {
            /** @description Owner, id of an environment, digest of an image, value of the label, or day. */
            key: string;
            /** @description What people call it: of environments and images. */
            name: string;
            instances: number;
            environments: number;
            cpuSeconds: number;
            memoryGiBSeconds: number;
            sent: number;
            received: number;
            /** @description Of all instances together. */
            lifetime: number;
            /** @description Of that, without any activity. */
            idle: number;
            idleGiBSeconds: number;
            savedGiBSeconds: number;
            cost: {
                cpu: number;
                memory: number;
                egress: number;
                total: number;
                /** @description The part of it that memory cost while nothing happened. */
                idle: number;
                /** @description What would have been spent on top, had leases ended nothing. */
                saved: number;
            };
        };
        CreateTokenRequest: {
            name: string;
            /** @enum {string} */
            role: "viewer" | "developer" | "operator" | "security" | "admin";
            /**
             * @description Of viewers and developers at least one; of others none: they are of all teams.
             * @default []
             */
            teams?: string[];
            /**
             * @description Milliseconds from now, a minute to 366 days.
             * @default 7776000000
             */
            expires?: number;
        };
        DataProgress: {
            location: string;
            records: number;
        };
        Delivery: {
            target: string;
            id: string;
            kind: string;
            /** @description Of the last attempt, ms. */
            at: number;
            /** @enum {string} */
            outcome: "delivered" | "refused";
            /** @description Why it was given up. */
            failure: string | null;
            text: string;
        };
        DeliveryList: {
            deliveries: components["schemas"]["Delivery"][];
        };
        Detection: {
            /** @description The cursor of its entry in the record. */
            id: number;
            /** @description Of the event. */
            time: number;
            rule: string;
            /** @enum {string} */
            priority: "emergency" | "alert" | "critical" | "error" | "warning" | "notice" | "informational" | "debug";
            output: string;
            tags: string[];
            /** @description `syscall`, `sequence` or `profile`. */
            source: string;
            /** @description Type of the kernel event. */
            event: string;
            process: {
                pid: number;
                vpid: number;
                name: string;
                exe: string | null;
            };
            fields: {
                [key: string]: string | number | boolean | null;
            };
            environment: {
                id: string;
                name: string;
                owner: string;
                state: string;
            };
            instance: string | null;
            workload: string | null;
            /** @description As it was asked for. */
            image: string | null;
            exemption: string | null;
            /** @description What follows from it. */
            measures: string[];
            /** @description They are only written, not taken. */
            audit: boolean;
        };
        DetectionList: {
            /** @description The newest first. */
            detections: components["schemas"]["Detection"][];
            next: number | null;
        };
        DiffRequest: {
            /** @description Images by name; everything that the images or Dayfly’s defaults can say may be left out. */
            draft: {
                name: string;
                /** @default {} */
                labels?: {
                    [key: string]: string;
                };
                /** @default {} */
                lease?: {
                    ttl?: number;
                    idle?: number;
                    retention?: number;
                    /** @enum {string} */
                    onIdle?: "end" | "pause";
                };
                workloads: {
                    [key: string]: {
                        /** @enum {string} */
                        kind?: "service" | "job" | "function" | "sandbox" | "agent";
                        image: string;
                        /**
                         * @default missing
                         * @enum {string}
                         */
                        pull?: "missing" | "always" | "never";
                        platform?: string;
                        command?: string[];
                        entrypoint?: string[];
                        /** @default {} */
                        env?: {
                            [key: string]: string;
                        };
                        user?: string;
                        workdir?: string;
                        /** @default false */
                        readOnly?: boolean;
                        /** @default [] */
                        capabilities?: string[];
                        /** @default {} */
                        limits?: {
                            cpus?: number;
                            memory?: number;
                            pids?: number;
                            io?: number;
                        };
                        /** @default [] */
                        egress?: {
                            cidr: string;
                            port?: number;
                        }[];
                        egressDomains?: {
                            domain: string;
                            port?: number;
                        }[];
                        /**
                         * @default crun
                         * @enum {string}
                         */
                        runtime?: "crun" | "runsc";
                        hostname?: string;
                        /** @default false */
                        tty?: boolean;
                        /** @default false */
                        stdin?: boolean;
                        stopSignal?: string;
                        grace?: number;
                        logLimit?: number;
                        /** @default [] */
                        secrets?: string[];
                        mounts?: ({
                            /** @constant */
                            type: "volume";
                            volume: string;
                            target: string;
                            readOnly: boolean;
                            subpath?: string;
                            copy: boolean;
                        } | {
                            /** @constant */
                            type: "bind";
                            source: string;
                            target: string;
                            readOnly: boolean;
                        } | {
                            /** @constant */
                            type: "tmpfs";
                            target: string;
                            size: number;
                            mode: number;
                        } | {
                            /** @constant */
                            type: "config";
                            config: string;
                            target: string;
                            uid: number;
                            gid: number;
                            mode: number;
                        })[];
                        sysctls?: {
                            [key: string]: string;
                        };
                        ulimits?: {
                            [key: string]: {
                                soft: number;
                                hard: number;
                            };
                        };
                        shmSize?: number;
                        init?: boolean;
                        groups?: string[];
                        hosts?: {
                            [key: string]: string;
                        };
                        labels?: {
                            [key: string]: string;
                        };
                        /** @default {} */
                        deployment?: {
                            scale?: {
                                min: number;
                                max: number;
                                target?: {
                                    concurrency: number;
                                } | {
                                    cpu: number;
                                };
                                window: number;
                            };
                            restart?: {
                                /** @enum {string} */
                                condition: "no" | "on-failure" | "always" | "unless-stopped";
                                attempts: number;
                                delay: number;
                                window: number;
                            };
                            health?: {
                                command: string[];
                                interval: number;
                                timeout: number;
                                retries: number;
                                startPeriod: number;
                                startInterval: number;
                            } | null;
                            /** @default {} */
                            dependsOn?: {
                                [key: string]: {
                                    /** @enum {string} */
                                    condition: "started" | "healthy" | "completed";
                                    required: boolean;
                                    restart: boolean;
                                };
                            };
                            /** @default {} */
                            networks?: {
                                [key: string]: {
                                    /** @default [] */
                                    aliases?: string[];
                                };
                            };
                            /** @default [] */
                            expose?: {
                                port: number;
                                /** @enum {string} */
                                protocol: "http" | "h2c" | "tcp";
                                published?: number;
                                host?: string;
                            }[];
                            /** @default {} */
                            update?: {
                                /** @enum {string} */
                                order?: "start-first" | "stop-first";
                                parallelism?: number;
                            };
                        };
                    };
                };
                /** @default {} */
                networks?: {
                    [key: string]: {
                        /** @default false */
                        internal?: boolean;
                    };
                };
                /** @default [] */
                volumes?: string[];
                configs?: {
                    [key: string]: string;
                };
            };
            /** @description As in `up`, to see whose content has changed. Left out, nobody’s has. */
            secrets?: {
                [key: string]: {
                    [key: string]: string;
                };
            };
            /**
             * @description What lives and the draft does not name (workloads, networks, volumes, configs) stays as it is. Dependencies on workloads that are neither here nor there are left out.
             * @default false
             */
            partial?: boolean;
            /** @description Whose it is: one of the caller’s teams. Left out: the first of them; of the local owner `default`. */
            team?: string;
            /** @description The text of a registry credentials file (docker's config.json, containers' auth.json). Only its `auths` are used. Never stored. */
            auth?: string;
        };
        DoctorReport: {
            checks: components["schemas"]["HostCheck"][];
        };
        Environment: {
            id: string;
            name: string;
            owner: string;
            team: string;
            /** @enum {string} */
            state: "creating" | "running" | "ending" | "ended";
            reason: string;
            cause: ("completed" | "requested" | "ttl" | "idle" | "failed" | "lost" | "denied" | "policy" | "detection") | null;
            labels: {
                [key: string]: string;
            };
            lease: {
                ttl: number;
                idle: number;
                retention: number;
                /** @enum {string} */
                onIdle?: "end" | "pause";
            };
            createdAt: number;
            endedAt: number | null;
            /** @description When its lease ends it if nothing happens to it until then. null once it is ending. */
            expiresAt: number | null;
            expiresBy: ("ttl" | "idle") | null;
            workloads: {
                [key: string]: {
                    /** @enum {string} */
                    kind: "service" | "job" | "function" | "sandbox" | "agent";
                    image: string;
                    imageName: string;
                    command: string[];
                    env: {
                        [key: string]: string;
                    };
                    user: string;
                    workdir: string;
                    readOnly: boolean;
                    capabilities: string[];
                    limits: {
                        cpus: number;
                        memory: number;
                        pids: number;
                        io: number;
                    };
                    egress: {
                        cidr: string;
                        port?: number;
                    }[];
                    /** @enum {string} */
                    runtime: "crun" | "runsc";
                    hostname?: string;
                    tty: boolean;
                    stdin: boolean;
                    stopSignal: string;
                    grace: number;
                    logLimit: number;
                    secrets: string[];
                    egressDomains?: {
                        domain: string;
                        port?: number;
                    }[];
                    mounts?: ({
                        /** @constant */
                        type: "volume";
                        volume: string;
                        target: string;
                        readOnly: boolean;
                        subpath?: string;
                        copy: boolean;
                    } | {
                        /** @constant */
                        type: "bind";
                        source: string;
                        target: string;
                        readOnly: boolean;
                    } | {
                        /** @constant */
                        type: "tmpfs";
                        target: string;
                        size: number;
                        mode: number;
                    } | {
                        /** @constant */
                        type: "config";
                        config: string;
                        target: string;
                        uid: number;
                        gid: number;
                        mode: number;
                    })[];
                    sysctls?: {
                        [key: string]: string;
                    };
                    ulimits?: {
                        [key: string]: {
                            soft: number;
                            hard: number;
                        };
                    };
                    shmSize?: number;
                    init?: boolean;
                    groups?: string[];
                    hosts?: {
                        [key: string]: string;
                    };
                    labels?: {
                        [key: string]: string;
                    };
                    deployment?: {
                        scale: {
                            min: number;
                            max: number;
                            target?: {
                                concurrency: number;
                            } | {
                                cpu: number;
                            };
                            window: number;
                        };
                        restart: {
                            /** @enum {string} */
                            condition: "no" | "on-failure" | "always" | "unless-stopped";
                            attempts: number;
                            delay: number;
                            window: number;
                        };
                        health?: {
                            command: string[];
                            interval: number;
                            timeout: number;
                            retries: number;
                            startPeriod: number;
                            startInterval: number;
                        };
                        dependsOn: {
                            [key: string]: {
                                /** @enum {string} */
                                condition: "started" | "healthy" | "completed";
                                required: boolean;
                                restart: boolean;
                            };
                        };
                        networks: {
                            [key: string]: {
                                aliases: string[];
                            };
                        };
                        expose: {
                            port: number;
                            /** @enum {string} */
                            protocol: "http" | "h2c" | "tcp";
                            published?: number;
                            host?: string;
                        }[];
                        update: {
                            /** @enum {string} */
                            order: "start-first" | "stop-first";
                            parallelism: number;
                        };
                    };
                };
            };
            instances: components["schemas"]["Instance"][];
        };
        EnvironmentList: {
            environments: components["schemas"]["Environment"][];
            /** @description `after` of the next page; null: this was the last. */
            next: string | null;
        };
        Event: {
            sequence: number;
            cursor: number;
            environment: string;
            instance?: string;
            time: number;
            type: string;
            actor: {
                /** @enum {string} */
                kind: "user" | "dayfly" | "instance";
                name: string;
            };
            reason: string;
            data: {
                [key: string]: components["schemas"]["__schema0"];
            };
            hash: string;
        };
        EventList: {
            events: components["schemas"]["Event"][];
            /** @description `after` of the next page; null: these were the last there are. */
            next: number | null;
        };
        Evidence: {
            /** @description Names it within the environment: the place of its decision in the record. */
            take: number;
            instance: string;
            rule: string;
            time: number;
            files: {
                name: string;
                bytes: number;
                sha256: string;
            }[];
            /** @description What is not in them, and why. */
            gaps: string[];
        };
        EvidenceList: {
            evidence: components["schemas"]["Evidence"][];
        };
        ExecRequest: {
            command: string[];
            /** @default {} */
            env?: {
                [key: string]: string;
            };
            user?: string;
            workdir?: string;
            /** @default false */
            tty?: boolean;
            /** @default 24 */
            rows?: number;
            /** @default 80 */
            columns?: number;
        };
        Exemption: {
            name: string;
            /**
             * @description What it exempts from.
             * @enum {string}
             */
            from: "admission" | "detection";
            /** @description Policies, and of these rules where it says so; or rules of detection. `*` stands for any characters. */
            rules: string[];
            match: {
                field: string;
                patterns: string[];
            }[];
            /** @description Who answers for it. */
            owner: string;
            reason: string;
            begins: number | null;
            ends: number;
            /** @enum {string} */
            state: "coming" | "in force" | "over";
            hits: {
                /** @description Among the newest entries of all records that are looked at: at most 2,000. */
                count: number;
                last: number | null;
            };
        };
        ExemptionList: {
            /** @description What ends first comes first; what is over, last. */
            exemptions: components["schemas"]["Exemption"][];
        };
        Exit: {
            code: number;
            /** @description Number of the signal that ended it. */
            signal: number | null;
            oom: boolean;
            /** @enum {string} */
            cause: "exit" | "deadline";
            endedAt: number;
            droppedBytes: number;
            droppedLines: number;
        };
        Exposure: {
            /** @description In the instance. */
            port: number;
            /** @enum {string} */
            protocol: "http" | "h2c" | "tcp";
            /** @description `http://web.shop.localhost:8080` or `127.0.0.1:5432`; null while nothing listens for it. */
            url: string | null;
        };
        ExtendRequest: {
            /** @description The environment may live this many more milliseconds from now. */
            ttl: number;
        };
        FileChange: {
            /**
             * @description `rename`: it is no longer of that name. `lost`: there were too many changes to tell; look anew.
             * @enum {string}
             */
            type: "create" | "write" | "remove" | "rename" | "chmod" | "lost";
            /** @description Absolute; of what is watched, empty for `lost`. */
            path: string;
        };
        FileEntry: {
            path: string;
            /**
             * @description `other`: a device, a pipe or a socket.
             * @enum {string}
             */
            type: "file" | "folder" | "link" | "other";
            /** @description Permission bits, with setuid, setgid and sticky: 0 to 4095. */
            mode: number;
            /** @description In the instance's own numbers, like gid. */
            uid: number;
            gid: number;
            /** @description Bytes; of a link, of what it says. */
            size: number;
            modifiedAt: number;
            /** @description What a link says; null for anything else. */
            target: string | null;
        };
        FileList: {
            entries: components["schemas"]["FileEntry"][];
            /** @description There are more than `limit`. */
            more: boolean;
        };
        FindingGroup: {
            /** @description Kind and id; of vulnerabilities also the package: the same thing found again has the same one. */
            key: string;
            /** @enum {string} */
            kind: "vulnerability" | "secret" | "misconfiguration" | "detection" | "policy";
            id: string;
            aliases: string[];
            title: string;
            /** @enum {string} */
            severity: "unknown" | "negligible" | "low" | "medium" | "high" | "critical";
            /** @description What it is sorted by: severity, times what is known of its exploitation, twice as much while something runs with it. docs/security.md. */
            risk: number;
            /** @description It is known to be exploited (KEV). */
            exploited: boolean;
            /** @description Probability of exploitation within 30 days, 0–1. */
            epss: number | null;
            /** @description An OpenVEX statement says that it does no harm there. */
            settled: boolean;
            package: {
                name: string;
                versions: string[];
            } | null;
            /** @description A version without it. */
            fixed: string | null;
            /** @description The first time that something ran with it, or that it happened. */
            since: number;
            /** @description The last time that something ran with it, or that it happened; now, while something runs. */
            last: number;
            /** @description Of detections and denials: how often. Of others: in how many images. */
            count: number;
            images: number;
            environments: number;
            /** @description Environments that run with it now. */
            running: number;
            /** @description What runs first, then the newest; at most 20. */
            where: {
                environment: {
                    id: string;
                    name: string;
                    owner: string;
                };
                workload: string | null;
                image: {
                    digest: string;
                    name: string;
                } | null;
                /** @description Instances that run now. */
                running: number;
                from: number;
                /** @description null while one runs. */
                until: number | null;
            }[];
            /** @description How many more places there are. */
            more: number;
        };
        FindingList: {
            /** @description The greatest risk first. */
            findings: components["schemas"]["FindingGroup"][];
            /** @description What to give as `after` for those that follow; null: there are no more. */
            next: string | null;
            /** @description Of all pages. */
            total: number;
            /** @description How many groups of each, of all pages. */
            severities: {
                [key: string]: number;
            };
            /** @description How many of them concern something that runs now. */
            running: number;
            /** @description Images that are still being looked into for secrets and misconfigurations: ask again. */
            pending: number;
            /** @description Digests of images of records of which nothing is known: they might have anything. */
            unknown: string[];
            /** @description The newest vulnerability data; null where there is none. */
            dataFrom: number | null;
        };
        Found: {
            /** @description Grows with each entry that is kept, over all environments: nearly their order in time. */
            position: number;
            activity: components["schemas"]["KernelEvent"] | components["schemas"]["Sample"];
        };
        FoundList: {
            found: components["schemas"]["Found"][];
            /** @description What to give as `after` for those that follow; null: there are no more. */
            next: number | null;
        };
        Gone: {
            path: string;
            /** @description Entries that went. */
            count: number;
        };
        Host: {
            name: string;
            capacity: components["schemas"]["Capacity"];
            inventory: components["schemas"]["HostInventory"];
            /** @description null: it is being found out; ask again. */
            patches: components["schemas"]["Patches"] | null;
        };
        HostCheck: {
            name: string;
            /** @enum {string} */
            state: "ok" | "warn" | "fail";
            found: string;
            /** @description What to do, unless the state is ok. */
            remedy: string | null;
        };
        HostInventory: {
            /**
             * @description `files`: without osqueryi, the same from Debian's own sources: /etc, /proc, dpkg, lsblk.
             * @enum {string}
             */
            source: "osquery" | "files";
            takenAt: number;
            /** @description What could not be found out, and why. */
            problems: string[];
            os: {
                name: string;
                version: string;
                codename: string;
                architecture: string;
            };
            kernel: {
                release: string;
                version: string;
            };
            bootedAt: number;
            packages: number;
            users: {
                name: string;
                uid: number;
                gid: number;
                home: string;
                shell: string;
                /** @description Its shell lets somebody in. */
                login: boolean;
            }[];
            listeners: {
                /** @enum {string} */
                protocol: "tcp" | "udp";
                address: string;
                port: number;
                process: string | null;
                pid: number | null;
                /**
                 * @description Who can get there, as far as the address says.
                 * @enum {string}
                 */
                reach: "loopback" | "network";
            }[];
            disks: {
                name: string;
                type: string;
                size: number | null;
                mount: string | null;
                fileSystem: string | null;
                encrypted: boolean;
            }[];
        };
        Image: {
            /** @description The manifest's: the image's identity. */
            digest: string;
            /** @description What docker calls the image id. */
            configDigest: string;
            names: string[];
            platform: {
                os: string;
                architecture: string;
                variant: string | null;
            };
            /** @description Lowest first. */
            layers: {
                /** @description `sha256:…` */
                diffId: string;
                bytes: number;
            }[];
            config: {
                entrypoint: string[];
                cmd: string[];
                env: {
                    [key: string]: string;
                };
                user: string;
                workingDir: string;
                stopSignal: string;
                labels: {
                    [key: string]: string;
                };
                exposedPorts: string[];
                volumes: string[];
            };
            /** @description When it was built, as it says itself. */
            createdAt: number | null;
            /** @description When it came into the store. */
            pulledAt: number;
            /** @description Of its unpacked layers, shared ones included. */
            size: number;
        };
        ImageDetail: {
            /** @description The manifest's: the image's identity. */
            digest: string;
            /** @description What docker calls the image id. */
            configDigest: string;
            names: string[];
            platform: {
                os: string;
                architecture: string;
                variant: string | null;
            };
            layers: {
                /** @description `sha256:…` */
                diffId: string;
                bytes: number;
                /** @description `sha256:…` */
                blobDigest: string;
                blobBytes: number;
                /** @description How many images of the store have it. */
                images: number;
            }[];
            config: {
                entrypoint: string[];
                cmd: string[];
                env: {
                    [key: string]: string;
                };
                user: string;
                workingDir: string;
                stopSignal: string;
                labels: {
                    [key: string]: string;
                };
                exposedPorts: string[];
                volumes: string[];
            };
            /** @description When it was built, as it says itself. */
            createdAt: number | null;
            /** @description When it came into the store. */
            pulledAt: number;
            /** @description Of its unpacked layers, shared ones included. */
            size: number;
            mediaType: string;
            /** @description One line for each step that made it, oldest first. */
            history: string[];
            /** @description null where nobody could look. */
            scan: components["schemas"]["ScanSummary"] | null;
        };
        ImageList: {
            images: components["schemas"]["Image"][];
            /** @description `after` of the next page; null: this was the last. */
            next: string | null;
        };
        ImportRequest: {
            /** @description A folder or tar archive (plain, gzip, zstd) on the daemon's host. */
            path: string;
            name: string;
            /** @description What it runs by default. Left out: its shell, where it has one. */
            command?: string[];
        };
        Instance: {
            id: string;
            environment: string;
            workload: string;
            /** @enum {string} */
            state: "pending" | "created" | "running" | "exited" | "failed" | "lost" | "removed";
            reason: string;
            createdAt: number;
            startedAt: number | null;
            /** @description Host process id of its first process, while it runs. */
            pid: number | null;
            start: ("cold" | "prepared") | null;
            exit: components["schemas"]["Exit"] | null;
            /** @description Which of its workload's places it fills, from 1. */
            replica: number;
            /** @description In the environment's network. */
            address: string | null;
        };
        InstanceList: {
            instances: components["schemas"]["Instance"][];
            /** @description `after` of the next page; null: this was the last. */
            next: string | null;
        };
        Inventory: {
            /** @description What runs first, then the worst. */
            images: components["schemas"]["InventoryImage"][];
        };
        InventoryDetail: {
            digest: string;
            names: string[];
            distribution: {
                id: string;
                version: string;
                codename?: string;
                like: string[];
            } | null;
            packages: number;
            /** @description How many of each severity, without those that OpenVEX statements settle. */
            vulnerabilities: {
                [key: string]: number;
            };
            exploited: number;
            /** @description That ran it, as far as records speak of them. */
            environments: number;
            /** @description Instances that run it now. */
            running: number;
            /** @description When it ran last; null while it runs. */
            last: number | null;
            /** @description It is still in the image store. */
            present: boolean;
            blocked: boolean;
            problems: string[];
            scannedAt: number;
            dataFrom: number | null;
            /** @description Its packages, those with the worst vulnerabilities first. */
            contents: {
                /** @enum {string} */
                type: "deb" | "apk" | "rpm" | "npm" | "pypi" | "maven" | "golang" | "gem" | "composer" | "cargo" | "nuget";
                name: string;
                version: string;
                purl: string;
                vulnerabilities: {
                    id: string;
                    /** @enum {string} */
                    severity: "unknown" | "negligible" | "low" | "medium" | "high" | "critical";
                    fixed: string | null;
                    exploited: boolean;
                    settled: boolean;
                }[];
            }[];
            /** @description Where it ran: what runs first, then the newest; at most 500. */
            ran: {
                environment: {
                    id: string;
                    name: string;
                    owner: string;
                };
                workload: string | null;
                /** @description Instances that run now. */
                running: number;
                from: number;
                /** @description null while one runs. */
                until: number | null;
                instances: number;
            }[];
        };
        InventoryImage: {
            digest: string;
            names: string[];
            distribution: {
                id: string;
                version: string;
                codename?: string;
                like: string[];
            } | null;
            packages: number;
            /** @description How many of each severity, without those that OpenVEX statements settle. */
            vulnerabilities: {
                [key: string]: number;
            };
            exploited: number;
            /** @description That ran it, as far as records speak of them. */
            environments: number;
            /** @description Instances that run it now. */
            running: number;
            /** @description When it ran last; null while it runs. */
            last: number | null;
            /** @description It is still in the image store. */
            present: boolean;
            blocked: boolean;
            problems: string[];
            scannedAt: number;
            dataFrom: number | null;
        };
        KernelEvent: {
            /** @enum {string} */
            type: "exec" | "fork" | "exit" | "open" | "connect" | "bind" | "listen" | "accept" | "sendto" | "dns" | "dup" | "unlink" | "rename" | "link" | "symlink" | "mkdir" | "chmod" | "chown" | "setuid" | "capset" | "memfd" | "mount" | "umount" | "ptrace" | "kill" | "process_vm_writev" | "socket" | "setns" | "unshare" | "pivot_root" | "chroot" | "module" | "bpf" | "keyctl" | "io_uring_setup" | "io_uring" | "userfaultfd" | "perf_event_open" | "open_by_handle_at" | "truncate" | "mknod" | "setxattr" | "process_vm_readv" | "pidfd_getfd";
            pid: number;
            tid: number;
            vpid: number;
            start: number;
            parentPid: number;
            parentStart: number;
            parentVpid?: number;
            uid: number;
            euid: number;
            gid: number;
            name: string;
            parentName: string;
            syscall?: string;
            result: number;
            flags?: ("upper" | "memfd" | "denied" | "would_deny" | "truncated" | "sensitive" | "write" | "compat" | "unread" | "user")[];
            count?: number;
            exe?: string;
            path?: string;
            target?: string;
            directory?: string;
            args?: string[];
            argsLength?: number;
            argsCount?: number;
            inode?: number;
            sha256?: string;
            cwd?: string;
            tty?: number;
            session?: number;
            group?: number;
            child?: number;
            childVpid?: number;
            childStart?: number;
            openFlags?: number;
            mode?: number;
            size?: number;
            fd?: number;
            socket?: {
                /** @enum {string} */
                family: "inet" | "inet6" | "unix" | "netlink" | "packet" | "vsock" | "other";
                protocol: number;
                localAddress?: string;
                localPort?: number;
                remoteAddress?: string;
                remotePort?: number;
            };
            capabilities?: string;
            mountFlags?: number;
            targetPid?: number;
            detail?: string;
            numbers?: number[];
            time: number;
            environment: string;
            instance: string;
            targetInstance?: string;
        };
        KillRequest: {
            /** @default SIGKILL */
            signal?: string;
        };
        Leak: {
            /** @enum {string} */
            kind: "process" | "mount" | "namespace" | "interface" | "cgroup" | "nft" | "directory" | "address";
            name: string;
            owner: string | null;
        };
        LeakReport: {
            leaks: components["schemas"]["Leak"][];
        };
        LogEntry: {
            time: number;
            /** @enum {string} */
            stream: "stdout" | "stderr";
            data: string;
            /** @enum {string} */
            encoding: "utf-8" | "base64";
        };
        Made: {
            path: string;
            /** @description false: it was there. */
            made: boolean;
        };
        MakeFolderRequest: {
            path: string;
            /** @description As whom it is done: a user of the instance by name or number. Default: the instance's own. */
            user?: string;
            /** @description Octal. Default: 755. */
            mode?: string;
            /** @description `USER[:GROUP]`, names of the image or numbers, that it is given to; that takes `user=root`. */
            owner?: string;
            /**
             * @description Make the folders above it that are missing, and take one that is there for made.
             * @default false
             */
            parents?: boolean;
        };
        NewToken: {
            id: string;
            name: string;
            /** @enum {string} */
            role: "viewer" | "developer" | "operator" | "security" | "admin";
            teams: "all" | string[];
            /** @enum {string} */
            state: "active" | "expired" | "revoked";
            madeBy: string;
            madeAt: number;
            expiresAt: number;
            rotatedAt: number | null;
            /** @description Until when the secret before the last rotation is good. */
            formerUntil: number | null;
            /** @description To the minute. */
            usedAt: number | null;
            usedFrom: string | null;
            revokedAt: number | null;
            /** @description Shown now, and never again. */
            token: string;
        };
        NotifyState: {
            targets: {
                name: string;
                type: string;
                waiting: number;
                /** @description Of the last attempt. */
                failure: string | null;
                /** @description Since the daemon has started. */
                delivered: number;
                /** @description Left out since then: too many at once, too old, or refused. */
                lost: number;
            }[];
        };
        NotifyTest: {
            results: {
                name: string;
                type: string;
                /** @description null: it was sent. */
                failure: string | null;
            }[];
        };
        NotifyTestRequest: {
            /**
             * @description Names of spec.notify in the DetectionSettings. None: all.
             * @default []
             */
            targets?: string[];
        };
        OpenSessionRequest: {
            code: string;
        } | {
            token: string;
        };
        Patches: {
            takenAt: number;
            /** @description When apt's lists were fetched last; null: never, so that nothing is known of updates. */
            listsFrom: number | null;
            problems: string[];
            /** @description That apt would install. */
            updates: {
                name: string;
                installed: string;
                candidate: string;
                security: boolean;
            }[];
            /** @description Of the host's packages by Dayfly's vulnerability data; null where there is none. */
            vulnerabilities: {
                [key: string]: number;
            } | null;
            exploited: number;
            /** @description The first 50 that have a fix. */
            worst: {
                id: string;
                /** @enum {string} */
                severity: "unknown" | "negligible" | "low" | "medium" | "high" | "critical";
                exploited: boolean;
                package: string;
                version: string;
                fixed: string | null;
            }[];
            dataFrom: number | null;
        };
        PolicyList: {
            /** @description `sha256:…` of all that is in force. */
            version: string;
            /** @description Why the files as they are now are not in force: those before them are. */
            fault: string | null;
            /** @description On the daemon's host. */
            folder: string;
            notes: string[];
            policies: {
                name: string;
                /** @enum {string} */
                source: "built in" | "file";
                file: string | null;
                line: number | null;
                rules: {
                    rule: string;
                    summary: string;
                    /** @description In lower case: deny, warn, audit. */
                    actions: string[];
                }[];
                /** @description Decisions in which it denied, warned or was noted. */
                hits: {
                    /** @description Among the newest entries of all records that are looked at: at most 2,000. */
                    count: number;
                    last: number | null;
                };
                /** @description Of these, denials. */
                denied: number;
            }[];
        };
        PriceTable: {
            currency: string;
            cpuSecond: number;
            gibSecond: number;
            egressGiB: number;
            forgottenFor: number;
        };
        Problem: {
            /** @description `urn:dayfly:problem:` and the code. */
            type: string;
            /** @description What the code means, the same for each of its problems. */
            title: string;
            /** @description Of HTTP; where the problem comes within an answer, the one it would have had. */
            status: number;
            /** @description What was attempted, and why it failed. */
            detail: string;
            /** @description Stable; one of the table in base/errors.ts. */
            code: string;
            /** @description The input at fault. */
            field: string | null;
            /** @description What to do about it. */
            remedy: string | null;
        };
        PullProgress: {
            /** @enum {string} */
            phase: "resolve" | "download" | "unpack" | "done";
            /** @description Diff id; empty when the phase is of the whole image. */
            layer: string;
            bytes: number;
            /** @description null when it cannot be known. */
            total: number | null;
        };
        PullRequest: {
            /** @description `alpine`, `host:5000/a/b:tag`, `repo@sha256:…`, or with a transport of skopeo, e.g. `oci-archive:/path`. */
            name: string;
            /** @description The text of a registry credentials file (docker's config.json, containers' auth.json). Only its `auths` are used. Never stored. */
            auth?: string;
            /** @description Left out: true, but for a registry on the loopback. */
            tlsVerify?: boolean;
            /** @description Left out: this host's. */
            platform?: string;
        };
        Queued: {
            /** @description In line; the first is 1. */
            place: number;
            /** @description What it waits for. */
            reason: string;
        };
        RecordKey: {
            /** @description Hex SHA-256 of the key as SPKI in DER. */
            id: string;
            /** @description PEM. */
            publicKey: string;
            madeAt: number;
            /** @description What is signed now is signed with it. Others vouch for what they have signed. */
            current: boolean;
        };
        RecordKeyList: {
            keys: components["schemas"]["RecordKey"][];
        };
        Removed: {
            names: string[];
            /** @description Digests of images that are gone. */
            images: string[];
            /** @description Diff ids of layers that were deleted. */
            layers: string[];
            freedBytes: number;
        };
        RenameRequest: {
            path: string;
            to: string;
            /** @description As whom it is done: a user of the instance by name or number. Default: the instance's own. */
            user?: string;
        };
        Replay: {
            count: number;
        };
        ReplayRequest: {
            /** @description Only to this one. */
            target?: string;
            id?: string;
            /** @description All that were sent at or after this time, ms. */
            since?: number;
        };
        Report: {
            environment: {
                id: string;
                name: string;
                owner: string;
                labels: {
                    [key: string]: string;
                };
                /** @enum {string} */
                state: "creating" | "running" | "ending" | "ended";
                reason: string;
                cause: ("completed" | "requested" | "ttl" | "idle" | "failed" | "lost" | "denied" | "policy" | "detection") | null;
                /** @description Who asked for it. */
                createdBy: string;
                createdAt: number;
                endedAt: number | null;
                lease: {
                    ttl: number;
                    idle: number;
                    retention: number;
                    onIdle: string;
                };
                isolated: boolean;
            };
            workloads: {
                name: string;
                kind: string;
                /** @description Digest. */
                image: string;
                /** @description What was asked for. */
                imageName: string;
                command: string[];
                user: string;
                runtime: string;
                cpus: number;
                memory: number;
                /** @description What its policy opens; empty: closed. */
                egress: string[];
            }[];
            images: {
                items: {
                    digest: string;
                    names: string[];
                    distribution: string | null;
                    packages: number;
                    vulnerabilities: {
                        [key: string]: number;
                    };
                    problems: string[];
                    scannedAt: number | null;
                }[];
                more: number;
            };
            instances: {
                items: {
                    id: string;
                    workload: string;
                    image: string | null;
                    replica: number;
                    /** @enum {string} */
                    state: "pending" | "created" | "running" | "exited" | "failed" | "lost" | "removed";
                    reason: string;
                    start: ("cold" | "prepared") | null;
                    createdAt: number;
                    startedAt: number | null;
                    endedAt: number | null;
                    exit: {
                        code: number;
                        signal?: number;
                        oom: boolean;
                        /** @enum {string} */
                        cause: "exit" | "deadline";
                        endedAt: number;
                        droppedBytes: number;
                        droppedLines: number;
                    } | null;
                    log: number;
                    usage: {
                        cpuSeconds: number;
                        memoryGiBSeconds: number;
                        peak: number;
                        sent: number;
                        received: number;
                        lifetime: number;
                        samples: number;
                        idle: number;
                        idleGiBSeconds: number;
                        held?: number;
                        lastActivity?: number;
                    } | null;
                }[];
                more: number;
            };
            verdicts: {
                items: {
                    time: number;
                    workload: string;
                    allowed: boolean;
                    actor: string;
                    reason: string;
                    denials: {
                        policy: string;
                        rule: string;
                        message: string;
                        exemption: string | null;
                    }[];
                    warnings: {
                        policy: string;
                        rule: string;
                        message: string;
                        exemption: string | null;
                    }[];
                    audits: {
                        policy: string;
                        rule: string;
                        message: string;
                        exemption: string | null;
                    }[];
                    /** @description Objections that the record does not have. */
                    more: number;
                }[];
                more: number;
            };
            events: {
                items: {
                    sequence: number;
                    time: number;
                    type: string;
                    instance: string | null;
                    actor: string;
                    reason: string;
                }[];
                more: number;
            };
            activity: {
                kept: boolean;
                lost: number;
                counts: {
                    [key: string]: number;
                };
                complete: boolean;
            };
            processes: {
                items: {
                    instance: string;
                    /** @description In its own pid namespace. */
                    pid: number;
                    parent: number | null;
                    name: string;
                    exe: string | null;
                    args: string[];
                    argsMore: number;
                    sha256: string | null;
                    flags: string[];
                    uid: number;
                    startedAt: number;
                    endedAt: number | null;
                    result: number | null;
                }[];
                more: number;
            };
            network: {
                items: {
                    /** @enum {string} */
                    kind: "out" | "in" | "name" | "denied" | "gateway";
                    instance: string | null;
                    workload: string | null;
                    peer: string;
                    peerInstance: string | null;
                    port: number | null;
                    protocol: string;
                    count: number;
                    failed: number;
                    first: number;
                    last: number;
                }[];
                more: number;
            };
            findings: {
                items: {
                    time: number;
                    kind: string;
                    severity: string;
                    id: string;
                    instance: string | null;
                    workload: string | null;
                    message: string;
                    tags: string[];
                }[];
                more: number;
            };
            resources: {
                items: {
                    instance: string;
                    points: [
                        number,
                        number,
                        number
                    ][];
                }[];
                more: number;
            };
            cost: {
                currency: string;
                measured: number;
                cost: {
                    cpu: number;
                    memory: number;
                    egress: number;
                    total: number;
                    /** @description The part of it that memory cost while nothing happened. */
                    idle: number;
                    /** @description What would have been spent on top, had leases ended nothing. */
                    saved: number;
                };
            };
            seal: {
                sealed: boolean;
                entries: number;
                head: string;
                key: string | null;
                signedAt: string | null;
            };
        };
        RotateTokenRequest: {
            /**
             * @description How long the secret before stays good, in milliseconds.
             * @default 3600000
             */
            overlap?: number;
            /** @description Another end. Left out: it stays. */
            expires?: number;
        };
        Rule: {
            name: string;
            /** @enum {string} */
            kind: "rule" | "sequence" | "threshold";
            description: string;
            /** @enum {string} */
            priority: "emergency" | "alert" | "critical" | "error" | "warning" | "notice" | "informational" | "debug";
            tags: string[];
            enabled: boolean;
            /** @description It asks for something that Dayfly has not, and never matches. */
            inert: boolean;
            lacking: string[];
            /** @description Types of events that it is asked about. */
            events: string[];
            /** @description `dayfly/…` for those of Dayfly itself. */
            file: string;
            line: number;
        };
        RuleDiagnostic: {
            /** @enum {string} */
            severity: "error" | "warning";
            /** @description Falco's, e.g. LOAD_ERR_COMPILE_CONDITION. */
            code: string;
            file: string;
            line: number;
            column: number;
            item: string | null;
            message: string;
        };
        RuleList: {
            rules: {
                name: string;
                /** @enum {string} */
                kind: "rule" | "sequence" | "threshold";
                description: string;
                /** @enum {string} */
                priority: "emergency" | "alert" | "critical" | "error" | "warning" | "notice" | "informational" | "debug";
                tags: string[];
                enabled: boolean;
                /** @description It asks for something that Dayfly has not, and never matches. */
                inert: boolean;
                lacking: string[];
                /** @description Types of events that it is asked about. */
                events: string[];
                /** @description `dayfly/…` for those of Dayfly itself. */
                file: string;
                line: number;
                hits: {
                    /** @description Among the newest entries of all records that are looked at: at most 2,000. */
                    count: number;
                    last: number | null;
                };
            }[];
            /** @description Of the files as they are now. With an error, those before them stay in force. */
            problems: components["schemas"]["RuleDiagnostic"][];
            /** @description Rule files beside those of Dayfly itself. */
            files: string[];
        };
        RunRequest: {
            /** @description A name, or a manifest digest `sha256:…`. */
            image: string;
            /**
             * @description When to fetch the image from its registry.
             * @default missing
             * @enum {string}
             */
            pull?: "missing" | "always" | "never";
            /** @description The text of a registry credentials file (docker's config.json, containers' auth.json). Only its `auths` are used. Never stored. */
            auth?: string;
            /** @description Unique among environments that have not ended. Generated when left out. */
            name?: string;
            /** @description Whose it is: one of the caller’s teams. Left out: the first of them; of the local owner `default`. */
            team?: string;
            /** @description What its processes are told that the host is called. Left out: the environment's name. */
            hostname?: string;
            /**
             * @description `sandbox` with a terminal, else `job`, when left out.
             * @enum {string}
             */
            kind?: "service" | "job" | "function" | "sandbox" | "agent";
            /** @default {} */
            labels?: {
                [key: string]: string;
            };
            /** @default {} */
            lease?: {
                ttl?: number;
                idle?: number;
                retention?: number;
                /** @enum {string} */
                onIdle?: "end" | "pause";
            };
            /** @description Replaces the image's command. */
            command?: string[];
            /** @description Replaces the image's entry point, and with it its command. */
            entrypoint?: string[];
            /**
             * @description Added to the image's environment.
             * @default {}
             */
            env?: {
                [key: string]: string;
            };
            /** @description `user[:group]`, names of the image or numbers. */
            user?: string;
            workdir?: string;
            /**
             * @description A root file system that cannot be written to.
             * @default false
             */
            readOnly?: boolean;
            /**
             * @description Beyond the documented minimum, without `CAP_`.
             * @default []
             */
            capabilities?: string[];
            /** @default {} */
            limits?: {
                cpus?: number;
                memory?: number;
                pids?: number;
                io?: number;
            };
            /**
             * @description Destinations that may be reached. None is the default.
             * @default []
             */
            egress?: {
                cidr: string;
                port?: number;
            }[];
            /**
             * @default crun
             * @enum {string}
             */
            runtime?: "crun" | "runsc";
            /** @default false */
            tty?: boolean;
            /**
             * @description Keeps stdin open for the stream or an attach.
             * @default false
             */
            stdin?: boolean;
            stopSignal?: string;
            /** @description Milliseconds between the stop signal and SIGKILL. */
            grace?: number;
            /** @description Bytes of output that are kept. */
            logLimit?: number;
            /**
             * @description Contents of files under /run/secrets, by name. Never stored.
             * @default {}
             */
            secrets?: {
                [key: string]: string;
            };
            /** @description When it is over a quota, or over what the host has room for: wait in line so many milliseconds. Left out, it is refused. */
            queue?: number;
        };
        Sample: {
            /** @constant */
            type: "sample";
            time: number;
            environment: string;
            instance: string;
            cpu: number;
            memory: number;
            memoryPeak?: number;
            processes?: number;
            read?: number;
            written?: number;
            received?: number;
            sent?: number;
        };
        Scan: {
            image: {
                name: string;
                digest: string;
            };
            distribution: {
                id: string;
                version: string;
                codename?: string;
                like: string[];
            } | null;
            packages: {
                /** @enum {string} */
                type: "deb" | "apk" | "rpm" | "npm" | "pypi" | "maven" | "golang" | "gem" | "composer" | "cargo" | "nuget";
                name: string;
                version: string;
                purl: string;
                source?: {
                    name: string;
                    version: string;
                };
                architecture?: string;
                licenses: string[];
                paths: string[];
                digest?: string;
            }[];
            /** @description Vulnerabilities, secrets and misconfigurations. */
            findings: ({
                /** @constant */
                kind: "vulnerability";
                id: string;
                /** @enum {string} */
                severity: "unknown" | "negligible" | "low" | "medium" | "high" | "critical";
                title: string;
                remedy?: string;
                references?: string[];
                places: {
                    path?: string;
                    line?: number;
                    column?: number;
                    layer?: string;
                    hidden?: boolean;
                    field?: string;
                    object?: string;
                }[];
                fingerprint: string;
                package: {
                    purl: string;
                    name: string;
                    version: string;
                };
                fixed?: string;
                aliases: string[];
                ratings: {
                    /** @enum {string} */
                    version: "2.0" | "3.0" | "3.1" | "4.0";
                    vector: string;
                    score: number;
                }[];
                epss?: number;
                exploited?: boolean;
                publishedAt?: number;
                vex?: {
                    /** @enum {string} */
                    status: "not_affected" | "affected" | "fixed" | "under_investigation";
                    justification?: string;
                };
            } | {
                /** @constant */
                kind: "secret";
                id: string;
                /** @enum {string} */
                severity: "unknown" | "negligible" | "low" | "medium" | "high" | "critical";
                title: string;
                remedy?: string;
                references?: string[];
                places: {
                    path?: string;
                    line?: number;
                    column?: number;
                    layer?: string;
                    hidden?: boolean;
                    field?: string;
                    object?: string;
                }[];
                fingerprint: string;
                redacted: string;
                hash: string;
            } | {
                /** @constant */
                kind: "misconfiguration";
                id: string;
                /** @enum {string} */
                severity: "unknown" | "negligible" | "low" | "medium" | "high" | "critical";
                title: string;
                remedy?: string;
                references?: string[];
                places: {
                    path?: string;
                    line?: number;
                    column?: number;
                    layer?: string;
                    hidden?: boolean;
                    field?: string;
                    object?: string;
                }[];
                fingerprint: string;
            } | {
                /** @constant */
                kind: "policy";
                id: string;
                /** @enum {string} */
                severity: "unknown" | "negligible" | "low" | "medium" | "high" | "critical";
                title: string;
                remedy?: string;
                references?: string[];
                places: {
                    path?: string;
                    line?: number;
                    column?: number;
                    layer?: string;
                    hidden?: boolean;
                    field?: string;
                    object?: string;
                }[];
                fingerprint: string;
            } | {
                /** @constant */
                kind: "detection";
                id: string;
                /** @enum {string} */
                severity: "unknown" | "negligible" | "low" | "medium" | "high" | "critical";
                title: string;
                remedy?: string;
                references?: string[];
                places: {
                    path?: string;
                    line?: number;
                    column?: number;
                    layer?: string;
                    hidden?: boolean;
                    field?: string;
                    object?: string;
                }[];
                fingerprint: string;
            })[];
            /** @description What could not be understood: something may be missing. */
            problems: string[];
            /** @description What there is no vulnerability data about. */
            unknown: string[];
            scannedAt: number;
            /** @description The newest vulnerability data about it; null where there is none. */
            dataFrom: number | null;
        };
        ScanRequest: {
            /** @description A name, or a manifest digest `sha256:…`. */
            image: string;
            /**
             * @description When to fetch the image from its registry.
             * @default missing
             * @enum {string}
             */
            pull?: "missing" | "always" | "never";
            /** @description The text of a registry credentials file (docker's config.json, containers' auth.json). Only its `auths` are used. Never stored. */
            auth?: string;
            /**
             * @description `cyclonedx` (1.6) and `spdx` (2.3) are documents by these standards.
             * @default findings
             * @enum {string}
             */
            format?: "findings" | "cyclonedx" | "spdx";
        };
        ScanSummary: {
            packages: number;
            /** @description How many of each severity, without those that OpenVEX statements settle. */
            vulnerabilities: {
                [key: string]: number;
            };
            secrets: number;
            misconfigurations: number;
            /** @description What could not be understood: something may be missing. */
            problems: number;
            scannedAt: number;
            /** @description The newest vulnerability data about it; null where there is none. */
            dataFrom: number | null;
        };
        SessionCode: {
            /** @description Good once, for two minutes. */
            code: string;
            expiresAt: number;
            /** @description The console with the code in its fragment. */
            url: string;
            /** @description SHA-256 of the listener's certificate. */
            fingerprint: string;
        };
        Started: {
            id: string;
            name: string;
            owner: string;
            team: string;
            /** @enum {string} */
            state: "creating" | "running" | "ending" | "ended";
            reason: string;
            cause: ("completed" | "requested" | "ttl" | "idle" | "failed" | "lost" | "denied" | "policy" | "detection") | null;
            labels: {
                [key: string]: string;
            };
            lease: {
                ttl: number;
                idle: number;
                retention: number;
                /** @enum {string} */
                onIdle?: "end" | "pause";
            };
            createdAt: number;
            endedAt: number | null;
            /** @description When its lease ends it if nothing happens to it until then. null once it is ending. */
            expiresAt: number | null;
            expiresBy: ("ttl" | "idle") | null;
            workloads: {
                [key: string]: {
                    /** @enum {string} */
                    kind: "service" | "job" | "function" | "sandbox" | "agent";
                    image: string;
                    imageName: string;
                    command: string[];
                    env: {
                        [key: string]: string;
                    };
                    user: string;
                    workdir: string;
                    readOnly: boolean;
                    capabilities: string[];
                    limits: {
                        cpus: number;
                        memory: number;
                        pids: number;
                        io: number;
                    };
                    egress: {
                        cidr: string;
                        port?: number;
                    }[];
                    /** @enum {string} */
                    runtime: "crun" | "runsc";
                    hostname?: string;
                    tty: boolean;
                    stdin: boolean;
                    stopSignal: string;
                    grace: number;
                    logLimit: number;
                    secrets: string[];
                    egressDomains?: {
                        domain: string;
                        port?: number;
                    }[];
                    mounts?: ({
                        /** @constant */
                        type: "volume";
                        volume: string;
                        target: string;
                        readOnly: boolean;
                        subpath?: string;
                        copy: boolean;
                    } | {
                        /** @constant */
                        type: "bind";
                        source: string;
                        target: string;
                        readOnly: boolean;
                    } | {
                        /** @constant */
                        type: "tmpfs";
                        target: string;
                        size: number;
                        mode: number;
                    } | {
                        /** @constant */
                        type: "config";
                        config: string;
                        target: string;
                        uid: number;
                        gid: number;
                        mode: number;
                    })[];
                    sysctls?: {
                        [key: string]: string;
                    };
                    ulimits?: {
                        [key: string]: {
                            soft: number;
                            hard: number;
                        };
                    };
                    shmSize?: number;
                    init?: boolean;
                    groups?: string[];
                    hosts?: {
                        [key: string]: string;
                    };
                    labels?: {
                        [key: string]: string;
                    };
                    deployment?: {
                        scale: {
                            min: number;
                            max: number;
                            target?: {
                                concurrency: number;
                            } | {
                                cpu: number;
                            };
                            window: number;
                        };
                        restart: {
                            /** @enum {string} */
                            condition: "no" | "on-failure" | "always" | "unless-stopped";
                            attempts: number;
                            delay: number;
                            window: number;
                        };
                        health?: {
                            command: string[];
                            interval: number;
                            timeout: number;
                            retries: number;
                            startPeriod: number;
                            startInterval: number;
                        };
                        dependsOn: {
                            [key: string]: {
                                /** @enum {string} */
                                condition: "started" | "healthy" | "completed";
                                required: boolean;
                                restart: boolean;
                            };
                        };
                        networks: {
                            [key: string]: {
                                aliases: string[];
                            };
                        };
                        expose: {
                            port: number;
                            /** @enum {string} */
                            protocol: "http" | "h2c" | "tcp";
                            published?: number;
                            host?: string;
                        }[];
                        update: {
                            /** @enum {string} */
                            order: "start-first" | "stop-first";
                            parallelism: number;
                        };
                    };
                };
            };
            instances: components["schemas"]["Instance"][];
            /** @description For people, at once. */
            warnings: components["schemas"]["Warning"][];
        };
        StopRequest: {
            grace?: number;
        };
        Story: {
            detection: components["schemas"]["Detection"];
            from: number;
            until: number;
            /** @description What the instance did in the time before it, the oldest first; the trigger is the last. */
            activity: components["schemas"]["Found"][];
            /** @description It did more than is shown: these are the last. */
            more: boolean;
            /** @description What the record says of that instance from then until a minute after, what was done about it among it. */
            record: components["schemas"]["Event"][];
        };
        Token: {
            id: string;
            name: string;
            /** @enum {string} */
            role: "viewer" | "developer" | "operator" | "security" | "admin";
            teams: "all" | string[];
            /** @enum {string} */
            state: "active" | "expired" | "revoked";
            madeBy: string;
            madeAt: number;
            expiresAt: number;
            rotatedAt: number | null;
            /** @description Until when the secret before the last rotation is good. */
            formerUntil: number | null;
            /** @description To the minute. */
            usedAt: number | null;
            usedFrom: string | null;
            revokedAt: number | null;
        };
        TokenList: {
            tokens: components["schemas"]["Token"][];
        };
        TriedPolicy: {
            /** @description What is wrong with the policy or the sample. Nothing was judged then. */
            faults: string[];
            notes: string[];
            results: {
                /** @description Of the document, e.g. `Pod/default/web`. */
                name: string;
                line: number;
                /** @enum {string} */
                verdict: "allowed" | "denied";
                objections: {
                    /** @enum {string} */
                    action: "deny" | "warn" | "audit";
                    policy: string;
                    rule: string;
                    message: string;
                    remedy: string | null;
                    field: string | null;
                    /** @description Of the field in the sample. */
                    line: number | null;
                    exemption: string | null;
                    expression: string | null;
                    /** @description Parts of the expression and what they were, at most 100. */
                    seen: {
                        expression: string;
                        value: string;
                    }[];
                }[];
            }[];
            /** @description ms of the thread that tried it. */
            took: number;
        };
        TriedRule: {
            /** @description With an error, nothing was judged. */
            problems: components["schemas"]["RuleDiagnostic"][];
            /** @description What is wrong with the cases. */
            faults: string[];
            /** @description Those of the text. */
            rules: components["schemas"]["Rule"][];
            /** @description The first 200. */
            matches: {
                rule: string;
                /** @enum {string} */
                priority: "emergency" | "alert" | "critical" | "error" | "warning" | "notice" | "informational" | "debug";
                output: string;
                time: number;
                event: string;
                process: string;
                instance: string;
                workload: string;
            }[];
            /** @description How many there are. */
            found: number;
            /** @description That were looked at. */
            events: number;
            /** @description These are all that there are: neither time nor number was the limit. */
            complete: boolean;
            cases: {
                name: string;
                /** @description None: it is as expected. */
                failures: string[];
            }[];
            took: number;
        };
        TryPolicyRequest: {
            /** @description Documents of a policy file; or one CEL expression, which is then the only validation of a policy about everything. */
            policy: string;
            /** @description Manifests, in YAML or JSON, that it is to judge. */
            sample: string;
            /**
             * @description With the built-in policies of the preset `standard`, unless the documents say others.
             * @default false
             */
            builtIn?: boolean;
        };
        TryRuleRequest: {
            /** @description A rule file, in the language of Falco's rules. */
            rules: string;
            /** @description Whose recorded activity it is to judge. */
            environment?: string;
            /** @description Or a document of kind RuleTest, whose cases are run. */
            cases?: string;
            /**
             * @description Whether Dayfly's own rules come first, so that their macros and lists are there. They say nothing themselves.
             * @default true
             */
            dayfly?: boolean;
        };
        UpRequest: {
            /** @description Images by name; everything that the images or Dayfly’s defaults can say may be left out. */
            draft: {
                name: string;
                /** @default {} */
                labels?: {
                    [key: string]: string;
                };
                /** @default {} */
                lease?: {
                    ttl?: number;
                    idle?: number;
                    retention?: number;
                    /** @enum {string} */
                    onIdle?: "end" | "pause";
                };
                workloads: {
                    [key: string]: {
                        /** @enum {string} */
                        kind?: "service" | "job" | "function" | "sandbox" | "agent";
                        image: string;
                        /**
                         * @default missing
                         * @enum {string}
                         */
                        pull?: "missing" | "always" | "never";
                        platform?: string;
                        command?: string[];
                        entrypoint?: string[];
                        /** @default {} */
                        env?: {
                            [key: string]: string;
                        };
                        user?: string;
                        workdir?: string;
                        /** @default false */
                        readOnly?: boolean;
                        /** @default [] */
                        capabilities?: string[];
                        /** @default {} */
                        limits?: {
                            cpus?: number;
                            memory?: number;
                            pids?: number;
                            io?: number;
                        };
                        /** @default [] */
                        egress?: {
                            cidr: string;
                            port?: number;
                        }[];
                        egressDomains?: {
                            domain: string;
                            port?: number;
                        }[];
                        /**
                         * @default crun
                         * @enum {string}
                         */
                        runtime?: "crun" | "runsc";
                        hostname?: string;
                        /** @default false */
                        tty?: boolean;
                        /** @default false */
                        stdin?: boolean;
                        stopSignal?: string;
                        grace?: number;
                        logLimit?: number;
                        /** @default [] */
                        secrets?: string[];
                        mounts?: ({
                            /** @constant */
                            type: "volume";
                            volume: string;
                            target: string;
                            readOnly: boolean;
                            subpath?: string;
                            copy: boolean;
                        } | {
                            /** @constant */
                            type: "bind";
                            source: string;
                            target: string;
                            readOnly: boolean;
                        } | {
                            /** @constant */
                            type: "tmpfs";
                            target: string;
                            size: number;
                            mode: number;
                        } | {
                            /** @constant */
                            type: "config";
                            config: string;
                            target: string;
                            uid: number;
                            gid: number;
                            mode: number;
                        })[];
                        sysctls?: {
                            [key: string]: string;
                        };
                        ulimits?: {
                            [key: string]: {
                                soft: number;
                                hard: number;
                            };
                        };
                        shmSize?: number;
                        init?: boolean;
                        groups?: string[];
                        hosts?: {
                            [key: string]: string;
                        };
                        labels?: {
                            [key: string]: string;
                        };
                        /** @default {} */
                        deployment?: {
                            scale?: {
                                min: number;
                                max: number;
                                target?: {
                                    concurrency: number;
                                } | {
                                    cpu: number;
                                };
                                window: number;
                            };
                            restart?: {
                                /** @enum {string} */
                                condition: "no" | "on-failure" | "always" | "unless-stopped";
                                attempts: number;
                                delay: number;
                                window: number;
                            };
                            health?: {
                                command: string[];
                                interval: number;
                                timeout: number;
                                retries: number;
                                startPeriod: number;
                                startInterval: number;
                            } | null;
                            /** @default {} */
                            dependsOn?: {
                                [key: string]: {
                                    /** @enum {string} */
                                    condition: "started" | "healthy" | "completed";
                                    required: boolean;
                                    restart: boolean;
                                };
                            };
                            /** @default {} */
                            networks?: {
                                [key: string]: {
                                    /** @default [] */
                                    aliases?: string[];
                                };
                            };
                            /** @default [] */
                            expose?: {
                                port: number;
                                /** @enum {string} */
                                protocol: "http" | "h2c" | "tcp";
                                published?: number;
                                host?: string;
                            }[];
                            /** @default {} */
                            update?: {
                                /** @enum {string} */
                                order?: "start-first" | "stop-first";
                                parallelism?: number;
                            };
                        };
                    };
                };
                /** @default {} */
                networks?: {
                    [key: string]: {
                        /** @default false */
                        internal?: boolean;
                    };
                };
                /** @default [] */
                volumes?: string[];
                configs?: {
                    [key: string]: string;
                };
            };
            /**
             * @description Contents of files under /run/secrets, by workload and name. Never stored.
             * @default {}
             */
            secrets?: {
                [key: string]: {
                    [key: string]: string;
                };
            };
            /**
             * @description By volume: a folder or tar archive (plain, gzip, zstd) on the daemon's host that fills it before the first instance.
             * @default {}
             */
            seeds?: {
                [key: string]: string;
            };
            /**
             * @description What lives and the draft does not name (workloads, networks, volumes, configs) stays as it is. Dependencies on workloads that are neither here nor there are left out.
             * @default false
             */
            partial?: boolean;
            /** @description Whose it is: one of the caller’s teams. Left out: the first of them; of the local owner `default`. */
            team?: string;
            /** @description When it is over a quota, or over what the host has room for: wait in line so many milliseconds. Left out, it is refused. */
            queue?: number;
            /** @description The text of a registry credentials file (docker's config.json, containers' auth.json). Only its `auths` are used. Never stored. */
            auth?: string;
        };
        UpdateDataRequest: {
            /**
             * @description None: those of earlier imports, or the usual public ones.
             * @default []
             */
            sources?: {
                /** @description A folder, zip or file on the daemon's host, or a URL (https, or http on the loopback). */
                location: string;
                /**
                 * @description Left out: by what is in it.
                 * @enum {string}
                 */
                format?: "osv" | "debian" | "epss" | "kev" | "openvex";
            }[];
        };
        Verification: {
            environment: string;
            /**
             * @description `unproven`: nothing is wrong, but nobody who is trusted vouches for it: it is not sealed yet, or its key is not known.
             * @enum {string}
             */
            verdict: "whole" | "broken" | "unproven";
            sealed: boolean;
            /** @description Id of the key that signed it. */
            key: string | null;
            /**
             * @description Where the key comes from: the caller, the daemon or this host, only the bundle itself; or it is not signed.
             * @enum {string}
             */
            trust: "given" | "known" | "inside" | "none";
            signedAt: string | null;
            checked: {
                member: string;
                what: string;
            }[];
            faults: {
                /** @description The file, as a bundle has it: `record.ndjson`, `logs/<instance>.log`. */
                member: string;
                /** @description Position of the entry of the record. */
                sequence: number | null;
                message: string;
            }[];
            unchecked: {
                member: string;
                reason: string;
            }[];
        };
        VulnerabilityData: {
            /** @description Advisories of all sources. */
            records: number;
            /** @description The newest of all; null where there are none. */
            newest: number | null;
            /** @description Since then, ms. */
            age: number | null;
            ecosystems: {
                name: string;
                newest: number;
            }[];
            sources: {
                location: string;
                format: string;
                records: number;
                withdrawn: number;
                superseded: number;
                bad: number;
                faults: string[];
                newest: number | null;
                importedAt: number;
            }[];
        };
        Warning: {
            workload: string;
            policy: string;
            rule: string;
            message: string;
            remedy: string | null;
            /** @description Of the pod that the workload is judged as. */
            field: string | null;
        };
        Who: {
            /** @description Those that run first, then the newest. */
            rows: components["schemas"]["WhoRow"][];
            /** @description There are more than the limit. */
            more: boolean;
            /** @description Digests of images of which nothing is known: they might have it. */
            unknown: string[];
        };
        WhoRow: {
            environment: {
                id: string;
                name: string;
                owner: string;
            };
            workload: string;
            image: {
                digest: string;
                names: string[];
            };
            instances: number;
            /** @description How many of the instances run now. */
            running: number;
            /** @description The first start. */
            from: number;
            /** @description The last end; null while one runs. */
            until: number | null;
            package: {
                purl: string;
                type: string;
                name: string;
                version: string;
            } | null;
            vulnerabilities: {
                id: string;
                /** @enum {string} */
                severity: "unknown" | "negligible" | "low" | "medium" | "high" | "critical";
                fixed: string | null;
                exploited: boolean;
                /** @description An OpenVEX statement says that it does no harm there. */
                settled: boolean;
            }[];
            /** @description The version of the package without all of these; null where there is none, or nothing is wrong with it. */
            fixed: string | null;
        };
        Whoami: {
            /** @enum {string} */
            kind: "owner" | "token" | "session";
            name: string;
            role: ("viewer" | "developer" | "operator" | "security" | "admin") | "owner";
            teams: "all" | string[];
        };
        Workload: {
            name: string;
            /** @enum {string} */
            state: "waiting" | "starting" | "ready" | "idle" | "completed" | "failed" | "stopped";
            reason: string;
            wanted: number;
            ready: number;
            restarts: number;
            exposed: components["schemas"]["Exposure"][];
            instances: components["schemas"]["WorkloadInstance"][];
        };
        WorkloadInstance: {
            id: string;
            environment: string;
            workload: string;
            /** @enum {string} */
            state: "pending" | "created" | "running" | "exited" | "failed" | "lost" | "removed";
            reason: string;
            createdAt: number;
            startedAt: number | null;
            /** @description Host process id of its first process, while it runs. */
            pid: number | null;
            start: ("cold" | "prepared") | null;
            exit: components["schemas"]["Exit"] | null;
            /** @description Which of its workload's places it fills, from 1. */
            replica: number;
            /** @description In the environment's network. */
            address: string | null;
            /** @enum {string} */
            health: "none" | "starting" | "healthy" | "unhealthy";
            /** @description Of an older specification: it goes once its successor is well. */
            outdated: boolean;
            paused: boolean;
        };
        WorkloadList: {
            workloads: components["schemas"]["Workload"][];
        };
        Written: {
            path: string;
            bytes: number;
            sha256: string;
        };
        __schema0: unknown;
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    getVEnvironments: {
        parameters: {
            query?: {
                /** @description Ended ones too, as long as their record is kept. */
                all?: "true" | "false";
                /** @description NAME=VALUE; several must all match. */
                label?: string | string[];
                /** @description At most so many, up to 1000. */
                limit?: string;
                /** @description Goes on after it: `next` of the answer before. */
                after?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The environments. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EnvironmentList"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postVEnvironments: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RunRequest"];
            };
        };
        responses: {
            /** @description Frames follow, as in a body of application/vnd.dayfly.frames. */
            101: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It runs. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Started"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getVEnvironmentsRef: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id, a unique prefix of one of at least 4 characters, or a name. */
                ref: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The environment. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Environment"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteVEnvironmentsRef: {
        parameters: {
            query?: {
                /** @description Without the stop signal and its grace. */
                force?: "true" | "false";
            };
            header?: never;
            path: {
                /** @description An id, a unique prefix of one of at least 4 characters, or a name. */
                ref: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The environment as it ended. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Environment"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getVEnvironmentsRefAccess: {
        parameters: {
            query?: {
                /** @description Go on until the environment ends. */
                follow?: "true" | "false";
                /** @description Only those at or after this time. */
                since?: string;
                /** @description Only the last so many of what is there already. */
                tail?: string;
            };
            header?: never;
            path: {
                /** @description An id, a unique prefix of one of at least 4 characters, or a name. */
                ref: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The access log. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/x-ndjson": components["schemas"]["AccessEntry"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postVEnvironmentsRefExtend: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id, a unique prefix of one of at least 4 characters, or a name. */
                ref: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ExtendRequest"];
            };
        };
        responses: {
            /** @description The environment with its new end. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Environment"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postVEnvironmentsUp: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UpRequest"];
            };
        };
        responses: {
            /** @description Progress, then the environment. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/x-ndjson": {
                        image: string;
                        progress: components["schemas"]["PullProgress"];
                    } | {
                        queued: components["schemas"]["Queued"];
                    } | {
                        environment: components["schemas"]["Environment"];
                        changes: components["schemas"]["Change"][];
                        warnings: components["schemas"]["Warning"][];
                    };
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postVEnvironmentsDiff: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["DiffRequest"];
            };
        };
        responses: {
            /** @description Progress, then the changes. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/x-ndjson": {
                        image: string;
                        progress: components["schemas"]["PullProgress"];
                    } | {
                        changes: components["schemas"]["Change"][];
                    };
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getVEnvironmentsRefWorkloads: {
        parameters: {
            query?: {
                /** @description Go on until the environment ends. */
                follow?: "true" | "false";
            };
            header?: never;
            path: {
                /** @description An id, a unique prefix of one of at least 4 characters, or a name. */
                ref: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The workloads, in the order of their dependencies. Or: With `follow`. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WorkloadList"];
                    "application/x-ndjson": components["schemas"]["WorkloadList"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getVEnvironmentsRefWorkloadsWorkloadExit: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id, a unique prefix of one of at least 4 characters, or a name. */
                ref: string;
                /** @description Its name. */
                workload: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The instance with its exit. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Instance"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postVEnvironmentsRefPause: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id, a unique prefix of one of at least 4 characters, or a name. */
                ref: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The environment. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Environment"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postVEnvironmentsRefResume: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id, a unique prefix of one of at least 4 characters, or a name. */
                ref: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The environment. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Environment"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getVInstances: {
        parameters: {
            query?: {
                environment?: string;
                /** @description At most so many, up to 1000. */
                limit?: string;
                /** @description Goes on after it: `next` of the answer before. */
                after?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The instances. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InstanceList"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getVInstancesRef: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id, a unique prefix of one of at least 4 characters, or the id or name of an environment with one instance. */
                ref: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The instance. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Instance"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getVInstancesRefLogs: {
        parameters: {
            query?: {
                /** @description Go on until the instance ends. */
                follow?: "true" | "false";
                /** @description Only output at or after this time. */
                since?: string;
                /** @description Only output at or before this time. Not with `follow`. */
                until?: string;
                /** @description Only the last so many lines of what is there already: of them, those that `grep` finds. */
                tail?: string;
                /** @description Only lines that have this: a regular expression of RE2. Of a line its first 64 KiB are looked at. */
                grep?: string;
                stdout?: "true" | "false";
                stderr?: "true" | "false";
            };
            header?: never;
            path: {
                /** @description An id, a unique prefix of one of at least 4 characters, or the id or name of an environment with one instance. */
                ref: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The output. Or: The output, byte for byte. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/x-ndjson": components["schemas"]["LogEntry"];
                    "application/vnd.dayfly.frames": unknown;
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getVInstancesRefWait: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id, a unique prefix of one of at least 4 characters, or the id or name of an environment with one instance. */
                ref: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The instance. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Instance"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postVInstancesRefStop: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id, a unique prefix of one of at least 4 characters, or the id or name of an environment with one instance. */
                ref: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["StopRequest"];
            };
        };
        responses: {
            /** @description The instance. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Instance"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postVInstancesRefKill: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id, a unique prefix of one of at least 4 characters, or the id or name of an environment with one instance. */
                ref: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["KillRequest"];
            };
        };
        responses: {
            /** @description The instance. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Instance"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postVInstancesRefExec: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id, a unique prefix of one of at least 4 characters, or the id or name of an environment with one instance. */
                ref: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ExecRequest"];
            };
        };
        responses: {
            /** @description Frames follow, as in a body of application/vnd.dayfly.frames. */
            101: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getVInstancesRefTerminal: {
        parameters: {
            query?: {
                /** @description Its words, each as a member of the query. */
                command?: string | string[];
                user?: string;
                workdir?: string;
                tty?: "true" | "false";
                rows?: string;
                columns?: string;
            };
            header?: never;
            path: {
                /** @description An id, a unique prefix of one of at least 4 characters, or the id or name of an environment with one instance. */
                ref: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Messages follow. */
            101: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postVInstancesRefAttach: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id, a unique prefix of one of at least 4 characters, or the id or name of an environment with one instance. */
                ref: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Frames follow, as in a body of application/vnd.dayfly.frames. */
            101: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getVInstancesRefFiles: {
        parameters: {
            query: {
                path: string;
                /** @description As whom it is done: a user of the instance by name or number. Default: the instance's own. */
                user?: string;
                /** @description First byte. */
                offset?: string;
                /** @description At most so many bytes. */
                limit?: string;
            };
            header?: never;
            path: {
                /** @description An id, a unique prefix of one of at least 4 characters, or the id or name of an environment with one instance. */
                ref: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The bytes. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": unknown;
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postVInstancesRefFiles: {
        parameters: {
            query: {
                path: string;
                /** @description As whom it is done: a user of the instance by name or number. Default: the instance's own. */
                user?: string;
                /** @description Octal. Default: that of the file that was there, or 644. */
                mode?: string;
                /** @description `USER[:GROUP]`, names of the image or numbers, that it is given to; that takes `user=root`. */
                owner?: string;
                /** @description Make the folders above it that are missing. */
                parents?: "true" | "false";
            };
            header?: never;
            path: {
                /** @description An id, a unique prefix of one of at least 4 characters, or the id or name of an environment with one instance. */
                ref: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/octet-stream": string;
            };
        };
        responses: {
            /** @description It is written. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Written"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteVInstancesRefFiles: {
        parameters: {
            query: {
                path: string;
                /** @description As whom it is done: a user of the instance by name or number. Default: the instance's own. */
                user?: string;
                /** @description A folder with all that is in it. */
                recursive?: "true" | "false";
            };
            header?: never;
            path: {
                /** @description An id, a unique prefix of one of at least 4 characters, or the id or name of an environment with one instance. */
                ref: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Gone"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getVInstancesRefFilesStat: {
        parameters: {
            query: {
                path: string;
                /** @description As whom it is done: a user of the instance by name or number. Default: the instance's own. */
                user?: string;
            };
            header?: never;
            path: {
                /** @description An id, a unique prefix of one of at least 4 characters, or the id or name of an environment with one instance. */
                ref: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FileEntry"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getVInstancesRefFilesList: {
        parameters: {
            query: {
                path: string;
                /** @description As whom it is done: a user of the instance by name or number. Default: the instance's own. */
                user?: string;
                /** @description How many levels down; 1 is what is in the folder itself. */
                depth?: string;
                /** @description At most so many entries. */
                limit?: string;
            };
            header?: never;
            path: {
                /** @description An id, a unique prefix of one of at least 4 characters, or the id or name of an environment with one instance. */
                ref: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The entries. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FileList"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postVInstancesRefFilesFolder: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id, a unique prefix of one of at least 4 characters, or the id or name of an environment with one instance. */
                ref: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MakeFolderRequest"];
            };
        };
        responses: {
            /** @description It is there. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Made"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postVInstancesRefFilesRename: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id, a unique prefix of one of at least 4 characters, or the id or name of an environment with one instance. */
                ref: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RenameRequest"];
            };
        };
        responses: {
            /** @description It has the new name. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FileEntry"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getVInstancesRefFilesWatch: {
        parameters: {
            query: {
                path: string;
                /** @description As whom it is done: a user of the instance by name or number. Default: the instance's own. */
                user?: string;
                /** @description What is in folders below as well. */
                recursive?: "true" | "false";
            };
            header?: never;
            path: {
                /** @description An id, a unique prefix of one of at least 4 characters, or the id or name of an environment with one instance. */
                ref: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The data of each is a FileChange. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": components["schemas"]["FileChange"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getVEvents: {
        parameters: {
            query?: {
                environment?: string;
                follow?: "true" | "false";
                /** @description Only entries with a greater cursor. */
                after?: string;
                /** @description Only entries at or after this time. */
                since?: string;
                /** @description At most so many, up to 10000; not with `follow`. */
                limit?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The entries there are. Or: Those and the ones that come; the data of each is an Event. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventList"];
                    "text/event-stream": components["schemas"]["Event"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getVActivity: {
        parameters: {
            query?: {
                /** @description Wall ms: at or after it. */
                since?: string;
                /** @description Wall ms: at or before it. */
                until?: string;
                /** @description An id, a unique prefix of one of at least 4 characters, or a name. */
                environment?: string;
                /** @description An instance, as in the path of other routes. */
                instance?: string;
                workload?: string;
                /** @description Its digest, or the name that was asked for. */
                image?: string;
                owner?: string;
                /** @description Of kernel events, or `sample`; several: any of them. */
                type?: string | string[];
                /** @description A program's path or its last name, or what the process calls itself. */
                process?: string;
                /** @description Of either side, or a name that was asked for. */
                address?: string;
                port?: string;
                /** @description Of a file; what ends with `/` stands for all below that folder. */
                path?: string;
                /** @description Words that all occur in its arguments, paths, names and addresses. Dots, hyphens and underlines can be part of a word. */
                text?: string;
                oldestFirst?: "true" | "false";
                /** @description Goes on after this position: `next` of the answer before. */
                after?: string;
                /** @description At most so many, up to 10000. */
                limit?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What was found. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FoundList"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getVImages: {
        parameters: {
            query?: {
                /** @description At most so many, up to 1000. */
                limit?: string;
                /** @description Goes on after it: `next` of the answer before. */
                after?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The images. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ImageList"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getVImagesName: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A name, a digest, or a unique prefix of one. Slashes are written %2F. */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The image. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ImageDetail"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteVImagesName: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A name, a digest, or a unique prefix of one. Slashes are written %2F. */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What was removed. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Removed"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postVImagesPull: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PullRequest"];
            };
        };
        responses: {
            /** @description Progress, then the image. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/x-ndjson": {
                        progress: components["schemas"]["PullProgress"];
                    } | {
                        image: components["schemas"]["Image"];
                    };
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postVImagesImport: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ImportRequest"];
            };
        };
        responses: {
            /** @description Progress, then the image. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/x-ndjson": {
                        progress: components["schemas"]["PullProgress"];
                    } | {
                        image: components["schemas"]["Image"];
                    };
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postVImagesBuild: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BuildRequest"];
            };
        };
        responses: {
            /** @description What the build prints, then the image. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/x-ndjson": {
                        log: string;
                    } | {
                        progress: components["schemas"]["PullProgress"];
                    } | {
                        image: components["schemas"]["Image"];
                    };
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postVImagesGc: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CollectRequest"];
            };
        };
        responses: {
            /** @description What was removed. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Removed"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postVImagesScan: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ScanRequest"];
            };
        };
        responses: {
            /** @description Progress, then the scan. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/x-ndjson": {
                        progress: components["schemas"]["PullProgress"];
                    } | {
                        scan: components["schemas"]["Scan"];
                    } | {
                        /** @description The document of the format that was asked for. */
                        document: {
                            [key: string]: unknown;
                        };
                    };
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getVVulnerabilities: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Its sources and age. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["VulnerabilityData"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postVVulnerabilitiesUpdate: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UpdateDataRequest"];
            };
        };
        responses: {
            /** @description Progress, then what there is now. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/x-ndjson": {
                        progress: components["schemas"]["DataProgress"];
                    } | {
                        data: components["schemas"]["VulnerabilityData"];
                    };
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getVWho: {
        parameters: {
            query?: {
                /** @description `openssl`, `openssl@3.0.11`, `@scope/name@1.2.3`, or a purl. The name may be that of the source package. */
                package?: string;
                /** @description Any name of a vulnerability. */
                cve?: string;
                /** @description A name or a digest. */
                image?: string;
                /** @description Wall ms: what ran then or later. */
                since?: number;
                /** @description Only what runs now. */
                running?: "true" | "false";
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What ran where. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Who"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getVEnvironmentsRefVerify: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id, a unique prefix of one of at least 4 characters, or a name. */
                ref: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The verdict. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Verification"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getVEnvironmentsRefExport: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id, a unique prefix of one of at least 4 characters, or a name. */
                ref: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The bundle. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/x-tar": unknown;
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getVEnvironmentsRefReport: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id, a unique prefix of one of at least 4 characters, or a name. */
                ref: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The report. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Report"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getVEnvironmentsRefReportPage: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id, a unique prefix of one of at least 4 characters, or a name. */
                ref: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The page. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": unknown;
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getVRecordKeys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The one in use first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RecordKeyList"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getVCost: {
        parameters: {
            query?: {
                by?: "owner" | "environment" | "image" | "label" | "day";
                /** @description Its name, with `by=label`. */
                label?: string;
                /** @description Only instances that ended at or after this time. */
                since?: string;
                /** @description Only instances that ended before this time. */
                until?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The sums. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Cost"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getVBlockedImages: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The one that was blocked first comes first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BlockedImageList"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postVBlockedImages: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BlockImageRequest"];
            };
        };
        responses: {
            /** @description It is blocked. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BlockedImage"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteVBlockedImagesDigest: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                digest: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What it was blocked for. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BlockedImage"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getVEnvironmentsRefEvidence: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id, a unique prefix of one of at least 4 characters, or a name. */
                ref: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Files by take. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EvidenceList"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getVEnvironmentsRefEvidenceTakeFile: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id, a unique prefix of one of at least 4 characters, or a name. */
                ref: string;
                take: string;
                file: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As it was written: hold it against its hash. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": unknown;
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getVNotify: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description By target. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NotifyState"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getVNotifyDeliveries: {
        parameters: {
            query?: {
                target?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The deliveries. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeliveryList"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postVNotifyReplay: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReplayRequest"];
            };
        };
        responses: {
            /** @description How many will be. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Replay"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postVNotifyTest: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NotifyTestRequest"];
            };
        };
        responses: {
            /** @description How each came out. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NotifyTest"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getVFindings: {
        parameters: {
            query?: {
                kind?: "vulnerability" | "secret" | "misconfiguration" | "detection" | "policy";
                /** @description At least this. */
                severity?: "unknown" | "negligible" | "low" | "medium" | "high" | "critical";
                /** @description Only what concerns something that runs now. */
                running?: "true" | "false";
                /** @description Only what is known to be exploited (KEV). */
                exploited?: "true" | "false";
                /** @description Only what has a fix. */
                fixable?: "true" | "false";
                /** @description Also what an OpenVEX statement settles. */
                settled?: "true" | "false";
                /** @description A digest, or part of a name. */
                image?: string;
                /** @description Id or name. */
                environment?: string;
                /** @description Part of an id, title or package, in any case. */
                text?: string;
                /** @description `next` of the page before. */
                after?: string;
                /** @description At most so many, up to 500. */
                limit?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The findings. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FindingList"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getVDetections: {
        parameters: {
            query?: {
                /** @description Id, unique prefix or name. */
                environment?: string;
                instance?: string;
                /** @description Its whole name. */
                rule?: string;
                /** @description At least as urgent as this. */
                priority?: "emergency" | "alert" | "critical" | "error" | "warning" | "notice" | "informational" | "debug";
                since?: string;
                /** @description Goes on with those before this id: `next` of the page before. */
                before?: string;
                /** @description At most so many, up to 500. */
                limit?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The detections. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetectionList"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getVDetectionsId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The story. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Story"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getVInventory: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The images. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Inventory"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getVInventoryDigest: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                digest: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The image. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InventoryDetail"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getVPolicies: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The policies. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PolicyList"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getVRules: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The rules. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RuleList"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getVExemptions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The exemptions. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ExemptionList"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postVPlaygroundPolicy: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TryPolicyRequest"];
            };
        };
        responses: {
            /** @description What it says of each document. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TriedPolicy"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postVPlaygroundRule: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TryRuleRequest"];
            };
        };
        responses: {
            /** @description What they would have said. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TriedRule"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getVHost: {
        parameters: {
            query?: {
                /** @description Look again, not at what was found within the last minutes. */
                fresh?: "true" | "false";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The host. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Host"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getVWhoami: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The caller. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Whoami"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getVTokens: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The tokens, without what is secret. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenList"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postVTokens: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateTokenRequest"];
            };
        };
        responses: {
            /** @description The token: its text is shown now, and never again. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewToken"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postVTokensIdRotate: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its id or name. */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RotateTokenRequest"];
            };
        };
        responses: {
            /** @description The token: its text is shown now, and never again. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewToken"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteVTokensId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its id or name. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The token. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Token"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postVSessionCode: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The code, and the address of the console with it. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionCode"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postVSession: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OpenSessionRequest"];
            };
        };
        responses: {
            /** @description Who is signed in. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Whoami"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteVSession: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Who was signed in. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Whoami"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getVAudit: {
        parameters: {
            query?: {
                /** @description Who: `token:ci`, a user of the host. */
                name?: string;
                /** @description As in the matrix: `POST /v1/environments`. */
                route?: string;
                /** @description Only what was refused or failed; or only what was not. */
                failed?: "true" | "false";
                /** @description Wall ms: at or after it. */
                since?: string;
                /** @description Wall ms: at or before it. */
                until?: string;
                /** @description Goes on before this entry: `next` of the answer before. */
                before?: string;
                /** @description Hold the whole log against its hashes. */
                verify?: "true" | "false";
                /** @description At most so many, up to 1000. */
                limit?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The entries. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditList"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postVBackup: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /**
                     * @description Evidence that was taken of instances, too; it may be large.
                     * @default false
                     */
                    evidence?: boolean;
                };
            };
        };
        responses: {
            /** @description The archive. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/x-tar": unknown;
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getVVersion: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The daemon. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["About"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getVDoctor: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The checks. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DoctorReport"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getVDoctorLeaks: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The leaks; none is the rule. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LeakReport"];
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getMetrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The metrics. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": unknown;
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getVOpenapiJson: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The document. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        openapi: string;
                    } & {
                        [key: string]: unknown;
                    };
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getVDocs: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page without scripts. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": unknown;
                };
            };
            /** @description It failed; the status goes with the error code. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
}
